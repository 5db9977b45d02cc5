/**
 * HTML as values: everything put into a template is escaped, unless a template made it. Text between
 * tags and quoted attributes only; https://html.spec.whatwg.org/multipage/syntax.html#escaping-a-string
 */

/** Markup that is safe to send: only the functions here make it. */
export class Html {
  readonly #markup: string;

  constructor(strings: readonly string[], values: readonly HtmlValue[]) {
    this.#markup = strings
      .map((text, index) => text + (index < values.length ? markupOf(values[index]) : ''))
      .join('');
  }

  toString(): string {
    return this.#markup;
  }
}

/** `null` leaves nothing behind; lists are put one after the other. */
export type HtmlValue = string | number | null | Html | readonly HtmlValue[];

/** A template tag: html`<p>${text}</p>`. */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  return new Html(strings, values);
}

/** Text of our own that is markup, or a style sheet, already. Never anything that came from outside. */
export function verbatim(markup: string): Html {
  return new Html([markup], []);
}

/** Plain text with `code` in backticks. */
export function prose(text: string): Html {
  const parts = text.split('`');
  const shown = parts.map((part, index) => (index % 2 === 0 ? part : html`<code>${part}</code>`));
  return html`${shown}`;
}

/** The items with something between them. */
export function joined(items: readonly Html[], between: string): readonly Html[] {
  return items.map((item, index) => (index === 0 ? item : html`${between}${item}`));
}

function markupOf(value: HtmlValue | undefined): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Html) return value.toString();
  return typeof value === 'object' ? value.map(markupOf).join('') : escaped(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as it stands between tags and in quoted attributes. */
export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}
