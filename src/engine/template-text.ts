/**
 * Splits a text into plain parts and `{{ … }}` holes. A hole ends at the first `}}` that is not inside
 * of a CEL string or an object's braces, so `{{ {"s": "}}"} }}` is one hole.
 */

/** A part of the text; a hole's `source` begins at `start` of the whole text. */
type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'hole'; readonly source: string; readonly start: number };

export type Split =
  | { ok: true; parts: readonly Part[] }
  /** `at` is the offset of the `{{` that is never closed. */
  | { ok: false; at: number };

export function splitTemplate(text: string): Split {
  const parts: Part[] = [];
  let from = 0;
  for (let open = text.indexOf('{{'); open >= 0; open = text.indexOf('{{', from)) {
    const close = endOfHole(text, open + 2);
    if (close === null) return { ok: false, at: open };
    if (open > from) parts.push({ kind: 'text', text: text.slice(from, open) });
    parts.push({ kind: 'hole', source: text.slice(open + 2, close), start: open + 2 });
    from = close + 2;
  }
  if (from < text.length) parts.push({ kind: 'text', text: text.slice(from) });
  return { ok: true, parts };
}

/** The offset of the `}}` that ends the hole, or null. */
function endOfHole(text: string, start: number): number | null {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === '"' || character === "'") {
      const end = endOfString(text, at);
      if (end === null) return null;
      at = end - 1;
    } else if (character === '{') depth++;
    else if (character === '}' && depth > 0) depth--;
    else if (character === '}' && text[at + 1] === '}') return at;
  }
  return null;
}

/** The offset after the string that begins at `quote`, or null. To cel-js r"\" is unclosed too. */
function endOfString(text: string, quote: number): number | null {
  const mark = text[quote] ?? '';
  const delimiter = text.startsWith(mark.repeat(3), quote) ? mark.repeat(3) : mark;
  for (let at = quote + delimiter.length; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text.startsWith(delimiter, at)) return at + delimiter.length;
  }
  return null;
}
