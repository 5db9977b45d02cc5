/**
 * Whether a value speaks of a person. Texts are read as they are and as they are meant when they stand
 * in a URL, a form, JSON or HTML; names of fields too. An address inside of a longer one, or an id
 * inside of a longer one, is somebody else's; but `vip-cus_81` is made of `cus_81`.
 */
import { isJsonObject, type Json } from '../contract/json.ts';

/** What a person is known by. */
export interface Marks {
  readonly emails: readonly string[];
  /** Ids that a vendor or sender gave them. */
  readonly customerIds: readonly string[];
  /** Names of two words or more: one word alone would be found everywhere. */
  readonly names: readonly string[];
  /** Ids of ours: a member's and their keys'. */
  readonly actorIds: readonly string[];
}

export type Mentions = (value: Json | undefined) => boolean;

/** A shorter id, such as 42, counts only in a field that is a customer's. */
const TELLING_ID_LENGTH = 6;
/** In a pattern: the word ends here. */
const NOT_LONGER = '(?![\\p{L}\\p{N}_-])';
const CUSTOMER_FIELD = /customers?(_?ids?)?$/i;
const ORDER_FIELD = /^order(_?id)?$/i;
const RUN_ID = /\brun_[0-9a-f]{32}\b/g;
const PERCENT = /(?:%[0-9a-f]{2})+/gi;
const ESCAPED = /\\u([0-9a-f]{4})/gi;
const ESCAPED_SPACE = /\\[nrt]/g;
const REFERENCE = /&#(?:x([0-9a-f]{1,6})|([0-9]{1,7}));/gi;
const NAMED: ReadonlyMap<string, string> = new Map([
  ['&amp;', '&'],
  ['&apos;', "'"],
  ['&quot;', '"'],
]);

export function mentionsOf(marks: Marks): Mentions {
  const patterns = [
    ...marks.emails.map(
      (email) => `(?<![\\p{L}\\p{N}._%+-])${literal(email)}(?![\\p{L}\\p{N}-]|\\.[\\p{L}\\p{N}])`,
    ),
    ...marks.customerIds
      .filter(({ length }) => length >= TELLING_ID_LENGTH)
      // Digits alone may be the end of any longer number: order-123456 is an order.
      .map((id) => `(?<![\\p{L}\\p{N}${/^\d+$/.test(id) ? '_-' : ''}])${literal(id)}${NOT_LONGER}`),
    // A form writes a plus for a space, and some write two.
    ...marks.names
      .map((name) => literal(name).replace(/\s+/g, '[\\s+]+'))
      .map((name) => `(?<![\\p{L}\\p{N}_-])${name}${NOT_LONGER}`),
  ].map((one) => one.normalize('NFC'));
  const pattern = patterns.length === 0 ? null : new RegExp(patterns.join('|'), 'iu');
  const ids = new Set(marks.customerIds);
  const speaksOf = (text: string): boolean => {
    if (pattern === null) return false;
    const composed = text.normalize('NFC');
    return pattern.test(composed) || (/[%\\&]/.test(text) && pattern.test(decoded(composed)));
  };
  const visit = (value: Json | undefined, isCustomers: boolean): boolean => {
    if (typeof value === 'string') return speaksOf(value) || (isCustomers && ids.has(value));
    if (typeof value === 'number') return isCustomers && ids.has(String(value));
    if (isJsonObject(value))
      return Object.entries(value).some(
        ([name, item]) =>
          speaksOf(name) ||
          visit(item, CUSTOMER_FIELD.test(name) || (isCustomers && name === 'id')),
      );
    return Array.isArray(value) && value.some((item) => visit(item, isCustomers));
  };
  return (value) => visit(value, false);
}

/** Every id of a run that a text holds. */
export function runIdsIn(text: string): string[] {
  return [...text.matchAll(RUN_ID)].map(([id]) => id);
}

/** Every order id that a value names, as `order.id`, `orderId` or `order_id`. */
export function orderIdsIn(value: Json | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(orderIdsIn);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, item]) => {
    const id = ORDER_FIELD.test(name) && isJsonObject(item) ? item.id : item;
    const own = ORDER_FIELD.test(name) && (typeof id === 'string' || typeof id === 'number');
    return own ? [String(id), ...orderIdsIn(item)] : orderIdsIn(item);
  });
}

/** Without the escapes of URLs, JSON and HTML. What is none of them stays as it is. */
function decoded(text: string): string {
  return text
    .replace(ESCAPED_SPACE, ' ')
    .replace(ESCAPED, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(REFERENCE, (whole, hex?: string, decimal?: string) => {
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    })
    .replace(/&(?:amp|apos|quot);/g, (name) => NAMED.get(name) ?? name)
    .replace(PERCENT, fromPercents)
    .normalize('NFC');
}

function fromPercents(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
