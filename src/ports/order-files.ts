/**
 * Orders as text. CSV is RFC 4180: CRLF, a header row, every text quoted; a text that a spreadsheet
 * would run as a formula gets an apostrophe (https://owasp.org/www-community/attacks/CSV_Injection).
 * NDJSON has one order a line, unchanged.
 */
import type { OrderView } from './orders.ts';

export type OrderFormat = 'csv' | 'ndjson';

export const CONTENT_TYPES: Readonly<Record<OrderFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson',
};

const COLUMNS: readonly string[] = [
  'id',
  'name',
  'status',
  'total_amount',
  'refunded_amount',
  'currency',
  'customer_id',
  'customer_email',
  'customer_name',
  'tags',
  'created_at',
  'updated_at',
];

/** What begins a formula, in ASCII and in full width. */
const SIGN = '=+\\-@\\uFF1D\\uFF0B\\uFF0D\\uFF20';
/** Some programs trim a cell before they look for the sign. */
const FORMULA = new RegExp(`^(?:[\\t\\r\\n]|\\s*[${SIGN}])`, 'u');
/** Where a cell begins for a program that takes semicolons or tabs for commas, and loses the quotes. */
const BREAK = /[;\t\r\n]/;
const AFTER_BREAK = new RegExp(`([;"\\s]+)([${SIGN}]?)`, 'gu');

/** One page of a file; the first has the header row, even when there is no order. */
export function orderLines(
  format: OrderFormat,
  orders: readonly OrderView[],
  isFirst: boolean,
): string {
  if (format === 'ndjson') return orders.map((order) => `${JSON.stringify(order)}\n`).join('');
  const rows: readonly Row[] = [...(isFirst ? [COLUMNS] : []), ...orders.map(cells)];
  return rows.map((row) => `${row.map(cellText).join(',')}\r\n`).join('');
}

type Row = readonly (string | number | null | undefined)[];

/** What is not there is nothing between two commas. */
function cellText(cell: Row[number]): string {
  if (typeof cell !== 'string') return String(cell ?? '');
  return `"${withoutFormulas(cell).replaceAll('"', '""')}"`;
}

function withoutFormulas(text: string): string {
  const inner = BREAK.test(text)
    ? text.replace(AFTER_BREAK, (whole, gap: string, sign: string) =>
        sign !== '' && BREAK.test(gap) ? `${gap}'${sign}` : whole,
      )
    : text;
  return FORMULA.test(inner) ? `'${inner}` : inner;
}

/** In the order of COLUMNS. Amounts are in minor units. */
function cells({ id, name, status, total, refunded, customer, tags, ...times }: OrderView): Row {
  return [
    id,
    name,
    status,
    total?.amount,
    refunded?.amount,
    total?.currency,
    customer.id,
    customer.email,
    customer.name,
    tags.join(', '),
    times.createdAt,
    times.updatedAt,
  ];
}
