/**
 * Where in a JSON text a value stands, by its dotted path, and where in a string a fault of an
 * expression is. Pure, and forgiving: of a text that is broken further down, what comes before is found.
 */

export interface Range {
  readonly from: number;
  readonly to: number;
}

const SPACE = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\\n]|\\.)*"/y;
const PLAIN = /[^\s,\]}:"[{]+/y;

/** The range of the value at a path; of the nearest value above it where the path leads nowhere. */
export function rangeAt(text: string, path: string): Range | null {
  const reader = new Reader(text);
  const found = reader.find(path === '' ? [] : path.split('.'));
  return found;
}

/**
 * The place `(line:column)` at a message's end, in the string that begins at `range`: escapes are one
 * character of the value and more of the text. Null when the message has no place.
 */
export function placeIn(text: string, range: Range, message: string): Range | null {
  const [, line, column] = /\((\d+):(\d+)\)$/.exec(message) ?? [];
  if (line === undefined || column === undefined || text[range.from] !== '"') return null;
  let [atLine, atColumn] = [1, 1];
  for (let at = range.from + 1; at < range.to - 1; ) {
    const length = characterLength(text, at);
    if (atLine === Number(line) && atColumn === Number(column))
      return { from: at, to: at + length };
    const isBreak = text.slice(at, at + length) === '\\n';
    [atLine, atColumn] = isBreak ? [atLine + 1, 1] : [atLine, atColumn + 1];
    at += length;
  }
  return { from: Math.max(range.from, range.to - 1), to: range.to };
}

function characterLength(text: string, at: number): number {
  if (text[at] !== '\\') return 1;
  return text[at + 1] === 'u' ? 6 : 2;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  find(path: readonly string[]): Range | null {
    this.#take(SPACE);
    const from = this.#at;
    const [name, ...rest] = path;
    const opener = this.#text[from];
    if (name === undefined || (opener !== '{' && opener !== '[')) return this.#skip(from);
    this.#at += 1;
    let index = 0;
    for (;;) {
      this.#take(SPACE);
      if (this.#at >= this.#text.length || /[\]}]/.test(this.#text[this.#at] ?? '')) break;
      const key = opener === '{' ? this.#key() : String(index);
      if (key === null) break;
      if (key === name) return this.find(rest);
      this.find([]);
      index += 1;
      this.#take(SPACE);
      if (this.#text[this.#at] === ',') this.#at += 1;
    }
    // Nothing of that name: what it would stand in begins here.
    return { from, to: from + 1 };
  }

  #key(): string | null {
    const key = this.#take(STRING);
    if (key === null) return null;
    this.#take(SPACE);
    if (this.#text[this.#at] !== ':') return null;
    this.#at += 1;
    return key.slice(1, -1);
  }

  /** Over a whole value. */
  #skip(from: number): Range | null {
    const opener = this.#text[from];
    if (opener !== '{' && opener !== '[') {
      const text = this.#take(opener === '"' ? STRING : PLAIN);
      return text === null ? null : { from, to: this.#at };
    }
    let depth = 0;
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at];
      if (char === '"' && this.#take(STRING) !== null) continue;
      this.#at += 1;
      if (char === '{' || char === '[') depth += 1;
      else if (char === '}' || char === ']') depth -= 1;
      if (depth === 0) return { from, to: this.#at };
    }
    return { from, to: this.#text.length };
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const [text] = pattern.exec(this.#text) ?? [];
    if (text === undefined) return null;
    this.#at += text.length;
    return text;
  }
}
