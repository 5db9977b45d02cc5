/** Range and If-Range by RFC 9110, sections 13.1.5 and 14. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { wantedRange } from '../../src/http/byte-range.ts';

const ETAG = '"exp_1"';

function wanted(range: string | null, size = 1_000, ifRange?: string) {
  const headers = new Headers(range === null ? {} : { range });
  if (ifRange !== undefined) headers.set('if-range', ifRange);
  return wantedRange(headers, ETAG, size);
}

describe('one range', () => {
  test.each([
    ['bytes=0-0', 0, 1],
    ['bytes=0-499', 0, 500],
    ['bytes=500-999', 500, 500],
    ['bytes=999-999', 999, 1],
    ['bytes=500-', 500, 500],
    ['bytes=0-', 0, 1_000],
    ['bytes=500-1000000', 500, 500],
    ['bytes=0-99999999999999999999999999', 0, 1_000],
    ['bytes=-1', 999, 1],
    ['bytes=-500', 500, 500],
    ['bytes=-1000', 0, 1_000],
    ['bytes=-5000', 0, 1_000],
    ['BYTES=0-0', 0, 1],
    ['bytes= 1-2 ', 1, 2],
    ['bytes=007-0008', 7, 2],
  ])('%s is from %i, %i bytes', (range, offset, length) => {
    expect(wanted(range)).toEqual({ offset, length });
  });

  test.each(['bytes=1000-', 'bytes=1000-1001', 'bytes=99999999999999999999-', 'bytes=-0'])(
    '%s is beyond the end',
    (range) => {
      expect(wanted(range)).toBe('unsatisfiable');
    },
  );

  it('never reaches beyond the file, whatever it says', () => {
    const number = fc.oneof(fc.constant(''), fc.nat(2_000).map(String));
    fc.assert(
      fc.property(number, number, fc.nat(1_000), (first, last, size) => {
        const range = wanted(`bytes=${first}-${last}`, size);
        if (typeof range === 'string') return;
        expect(range.length).toBeGreaterThan(0);
        expect(range.offset).toBeGreaterThanOrEqual(0);
        expect(range.offset + range.length).toBeLessThanOrEqual(size);
      }),
    );
  });
});

describe('the whole is served', () => {
  test.each([
    null,
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=5-4',
    'bytes=a-b',
    'bytes=1-2x',
    'bytes=0x1-2',
    'bytes=--5',
    'bytes=1 - 2',
    'items=0-5',
    'bytes=0-1,5-6',
    'bytes=0-1,',
    'bytes 0-5/10',
  ])('to %j, which is no range or more than one', (range) => {
    expect(wanted(range)).toBe('whole');
  });

  test.each(['bytes=0-', 'bytes=5-6', 'bytes=-5'])('of an empty file to %s', (range) => {
    expect(wanted(range, 0)).toBe('whole');
  });
});

describe('If-Range', () => {
  it('with the file as it is serves the range', () => {
    expect(wanted('bytes=1-2', 1_000, ETAG)).toEqual({ offset: 1, length: 2 });
    expect(wanted('bytes=1000-', 1_000, ETAG)).toBe('unsatisfiable');
  });

  test.each(['"exp_2"', `W/${ETAG}`, 'exp_1', '*', '', 'Tue, 24 Nov 2026 12:00:00 GMT'])(
    'with %j serves the whole: it may be another file',
    (known) => {
      expect(wanted('bytes=1-2', 1_000, known)).toBe('whole');
      expect(wanted('bytes=1000-', 1_000, known)).toBe('whole');
    },
  );
});
