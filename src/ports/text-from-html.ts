/**
 * The plain text of a mail that has HTML alone: clients without HTML and screen readers get it, and
 * filters think less of mail without it (RFC 2046 5.1.4). One pass in linear time, no DOM; tags and
 * attributes are read as in https://html.spec.whatwg.org/multipage/parsing.html#tokenization
 */

interface Tag {
  readonly name: string;
  readonly isEnd: boolean;
  /** `href` of a link, `alt` of a picture. */
  readonly told: string;
}

/** What these hold is no text for readers. */
const SILENT = new Set(['noscript', 'object', 'script', 'style', 'template', 'title']);
/** A paragraph of its own, and a line of its own. */
const PARAGRAPHS = new Set([
  ...['address', 'article', 'blockquote', 'dl', 'fieldset', 'figure', 'footer', 'form', 'h1', 'h2'],
  ...['h3', 'h4', 'h5', 'h6', 'header', 'hr', 'main', 'ol', 'p', 'pre', 'section', 'table', 'ul'],
]);
const LINES = new Set(['br', 'caption', 'center', 'dd', 'div', 'dt', 'legend', 'tr']);

export function textFromHtml(html: string): string {
  const writer = new Writer();
  for (let at = 0; at < html.length; ) {
    const open = html.indexOf('<', at);
    writer.text(html.slice(at, open < 0 ? html.length : open));
    if (open < 0) break;
    at = takeMarkup(html, open, writer);
  }
  return tidied(writer.written);
}

/** Takes what begins with the `<` at `open`. @returns the offset after it */
function takeMarkup(html: string, open: number, writer: Writer): number {
  if (html.startsWith('<!--', open)) return after(html, '-->', open + 4);
  if (/[!?]/.test(html[open + 1] ?? '')) return after(html, '>', open);
  const read = readTag(html, open);
  if (read === null) {
    writer.text('<');
    return open + 1;
  }
  const { tag, end } = read;
  writer.tag(tag);
  return SILENT.has(tag.name) && !tag.isEnd ? afterEndTag(html, tag.name, end) : end;
}

function afterEndTag(html: string, name: string, from: number): number {
  const pattern = new RegExp(`</${name}`, 'gi');
  pattern.lastIndex = from;
  const found = pattern.exec(html);
  return found === null ? html.length : after(html, '>', found.index);
}

function after(html: string, end: string, from: number): number {
  const at = html.indexOf(end, from);
  return at < 0 ? html.length : at + end.length;
}

const TAG_NAME = /<(\/?)([A-Za-z][^\s/>]*)/y;
const ATTRIBUTE = /[\s/]*([^\s=>/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]*)))?/y;
const TOLD: Readonly<Record<string, string>> = { a: 'href', img: 'alt' };

/** Null where no tag begins. One that is never closed takes all that is left, as in browsers. */
function readTag(html: string, open: number): { tag: Tag; end: number } | null {
  TAG_NAME.lastIndex = open;
  const [head, slash, written] = TAG_NAME.exec(html) ?? [];
  if (head === undefined || written === undefined) return null;
  const name = written.toLowerCase();
  let told = '';
  let at = open + head.length;
  for (;;) {
    ATTRIBUTE.lastIndex = at;
    const [whole, attribute = '', double, single, bare = ''] = ATTRIBUTE.exec(html) ?? [];
    if (whole === undefined) break;
    at += whole.length;
    if (attribute.toLowerCase() === TOLD[name]) told ||= decoded(double ?? single ?? bare).trim();
  }
  return { tag: { name, isEnd: slash === '/', told }, end: after(html, '>', at) };
}

class Writer {
  written = '';
  readonly #links: { href: string; at: number }[] = [];

  text(raw: string): void {
    this.written += decoded(raw.replaceAll(/\s+/g, ' '));
  }

  tag({ name, isEnd, told }: Tag): void {
    if (name === 'a') this.#link(isEnd, told);
    else this.written += shownFor(name, isEnd, told);
  }

  /** Where a link leads stands after it, unless its own text says so. */
  #link(isEnd: boolean, href: string): void {
    if (!isEnd) this.#links.push({ href, at: this.written.length });
    const link = isEnd ? this.#links.pop() : undefined;
    if (link === undefined || !/^(https?:|mailto:|tel:)/i.test(link.href)) return;
    const where = link.href.replace(/^mailto:/i, '');
    if (this.written.slice(link.at).trim() !== where) this.written += ` (${where})`;
  }
}

function shownFor(name: string, isEnd: boolean, told: string): string {
  if (PARAGRAPHS.has(name)) return '\n\n';
  if (LINES.has(name)) return '\n';
  if (name === 'li') return isEnd ? '\n' : '\n- ';
  if (name === 'td' || name === 'th') return ' ';
  return told;
}

/** The characters that HTML itself needs, and those that mails are known to use; others stay. */
const NAMED: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', shy: '', zwnj: '' },
  ...{ ndash: '–', mdash: '—', hellip: '…', laquo: '«', raquo: '»', bull: '•', middot: '·' },
  ...{ lsquo: '‘', rsquo: '’', ldquo: '“', rdquo: '”', euro: '€', pound: '£', copy: '©', reg: '®' },
};

function decoded(text: string): string {
  return text.replaceAll(
    /&(?:#(\d{1,7})|#[xX]([\dA-Fa-f]{1,6})|([A-Za-z]{1,8}));/g,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return Object.hasOwn(NAMED, name) ? (NAMED[name] ?? '') : whole;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      const isCharacter = code > 0x1f && code <= 0x10_ff_ff && (code < 0xd800 || code > 0xdfff);
      return isCharacter ? String.fromCodePoint(code) : ' ';
    },
  );
}

/** No space at the ends of lines, no two empty lines, none at the start. */
function tidied(text: string): string {
  const lines = text.split('\n').map((line) => line.replaceAll(/[ \t]+/g, ' ').trim());
  return lines
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}
