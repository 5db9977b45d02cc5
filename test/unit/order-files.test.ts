/** Orders as CSV and NDJSON: every byte of both, and nothing that a spreadsheet runs. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { orderLines } from '../../src/ports/order-files.ts';
import type { OrderView } from '../../src/ports/orders.ts';

const HEADER =
  '"id","name","status","total_amount","refunded_amount","currency","customer_id",' +
  '"customer_email","customer_name","tags","created_at","updated_at"\r\n';

function orderOf(more: Partial<OrderView> = {}): OrderView {
  return {
    id: '1',
    name: '#1',
    status: 'open',
    total: { amount: 9_900, currency: 'USD' },
    refunded: { amount: 0, currency: 'USD' },
    customer: { id: 'c1', email: 'a@example.com', name: 'Ann' },
    tags: ['a', 'b'],
    createdAt: '2026-03-01T12:00:00.000Z',
    updatedAt: '2026-03-02T12:00:00.000Z',
    ...more,
  };
}

/** The cells of a CSV text by RFC 4180, read as it is written there and no more leniently. */
function cellsOf(text: string, comma = ','): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = new RegExp(`("(?:[^"]|"")*"|[^"\\r\\n${comma}]*)(${comma}|\\r\\n)`, 'y');
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex;
    const [, raw = '', end] = cell.exec(text) ?? [];
    if (end === undefined) throw new Error(`not RFC 4180 at ${at}: ${text.slice(at, at + 40)}`);
    row.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    if (end === comma) continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

/** What a program makes of the text that parts cells at semicolons, or at tabs, and forgives the rest. */
function lenientCellsOf(text: string, comma: string): string[] {
  const cells: string[] = [];
  for (let at = 0, cell = '', quoted = false; at <= text.length; at += 1) {
    const sign = text.charAt(at);
    const ends = sign === '' || (!quoted && (sign === comma || sign === '\r' || sign === '\n'));
    if (ends) {
      cells.push(cell);
      cell = '';
      quoted = false;
    } else if (sign === '"' && cell === '' && !quoted) quoted = true;
    else if (sign === '"' && quoted && text.charAt(at + 1) === '"') {
      cell += '"';
      at += 1;
    } else if (sign === '"' && quoted) quoted = false;
    else cell += sign;
  }
  return cells;
}

const texts = fc.string({
  unit: fc.constantFrom(
    ...['=', '+', '-', '@', '＝', '＋', '－', '＠', '"', "'", ';', ',', '\t', '\r', '\n', ' '],
    ...['\u00a0', 'a', '1', 'ä', '😀', '|', '\\'],
  ),
  maxLength: 12,
});

describe('CSV', () => {
  it('has a header row on the first page alone, also above nothing', () => {
    expect(orderLines('csv', [], true)).toBe(HEADER);
    expect(orderLines('csv', [], false)).toBe('');
    expect(orderLines('csv', [orderOf()], false)).not.toContain('total_amount');
  });

  it('quotes texts, doubles quotes, ends rows with CRLF, and leaves what is not there empty', () => {
    const order = orderOf({ name: 'Ann "A", Ltd\nRoom 5', tags: [] });
    expect(orderLines('csv', [order], true)).toBe(
      `${HEADER}"1","Ann ""A"", Ltd\nRoom 5","open",9900,0,"USD","c1","a@example.com","Ann","",` +
        '"2026-03-01T12:00:00.000Z","2026-03-02T12:00:00.000Z"\r\n',
    );
    const unknown = orderOf({
      ...{ name: null, total: null, refunded: null },
      customer: { id: null, email: null, name: '' },
    });
    expect(orderLines('csv', [unknown], false)).toContain('"1",,"open",,,,,,"","a, b",');
  });

  it('keeps a negative amount a number', () => {
    expect(
      orderLines('csv', [orderOf({ total: { amount: -5, currency: 'USD' } })], false),
    ).toContain(',-5,0,');
  });

  test.each([
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t',
    '\r',
    '\n',
    '＝1',
    '＋1',
    '－1',
    '＠A',
    ' =1',
    '\u00a0-1',
  ])('puts an apostrophe before %j, in any column of text', (text) => {
    const order = orderOf({
      id: text,
      name: text,
      customer: { id: text, email: text, name: text },
      tags: [text],
    });
    const [cells = []] = cellsOf(orderLines('csv', [order], false));
    for (const column of [0, 1, 6, 7, 8, 9]) expect(cells[column]).toBe(`'${text}`);
  });

  test.each([
    ['a;=1', "a;'=1"],
    ['a\n=1', "a\n'=1"],
    ['a\r\n "+1', 'a\r\n "\'+1'],
    ['a\t＝1', "a\t'＝1"],
    ['\n=1', "'\n'=1"],
    ['a; b', 'a; b'],
    ['a - b, c = d', 'a - b, c = d'],
    ['"=1', '"=1'],
  ])('of %j makes %j: a cell may begin where a program sees one', (text, expected) => {
    const [cells = []] = cellsOf(orderLines('csv', [orderOf({ name: text })], false));
    expect(cells[1]).toBe(expected);
  });

  it('whatever the texts are, has no formula by commas, semicolons or tabs, and loses no text', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(texts, texts, texts), { maxLength: 3 }), (rows) => {
        const orders = rows.map(([id, name, tag]) => orderOf({ id, name, tags: [tag] }));
        const csv = orderLines('csv', orders, true);
        const cells = cellsOf(csv);
        expect(cells).toHaveLength(rows.length + 1);
        const plain = (text: string | undefined) => text?.replaceAll("'", '');
        rows.forEach(([id, name, tag], at) => {
          const row = cells[at + 1] ?? [];
          expect([row[0], row[1], row[9]].map(plain)).toEqual([id, name, tag].map(plain));
        });
        const seen = [cells.flat(), lenientCellsOf(csv, ';'), lenientCellsOf(csv, '\t')];
        for (const cell of seen.flat()) expect(cell).not.toMatch(/^\s*[=+\-@＝＋－＠]/u);
      }),
      { numRuns: 500 },
    );
  });

  it('takes its time in proportion to the text, whatever it is made of', () => {
    for (const sign of ['\n', ';', '"', ' ', '\n"', ';=']) {
      const begun = performance.now();
      orderLines('csv', [orderOf({ name: sign.repeat(200_000) })], false);
      expect(performance.now() - begun).toBeLessThan(2_000);
    }
  });
});

describe('NDJSON', () => {
  it('has one order a line, as the API shows it, and nothing but', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(texts, texts, texts), { maxLength: 3 }), (rows) => {
        const orders = rows.map(([id, name, tag]) => orderOf({ id, name, tags: [tag] }));
        const text = orderLines('ndjson', orders, true);
        expect(text.split('\n')).toHaveLength(rows.length + 1);
        const lines = text.split('\n').slice(0, -1);
        expect(lines.map((line) => JSON.parse(line))).toEqual(orders);
        expect(orderLines('ndjson', orders, false)).toBe(text);
      }),
    );
  });
});
