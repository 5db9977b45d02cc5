/** Amounts and ids keep their exact value on the way in: ISO 4217 minor units, lossless JSON. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  currencyCode,
  decimalToMinor,
  minorUnitDigits,
  stripeToMinor,
} from '../../src/currency.ts';
import { parseLossless } from '../../src/vendors/lossless-json.ts';

describe('decimal texts', () => {
  it.each([
    ['75.00', 'USD', 7_500],
    ['75', 'USD', 7_500],
    ['75.5', 'USD', 7_550],
    ['0.07', 'USD', 7],
    ['-8.00', 'USD', -800],
    ['-0.00', 'USD', 0],
    ['1.1500', 'USD', 115],
    ['4.35', 'EUR', 435],
    ['9900', 'JPY', 9_900],
    ['9900.00', 'JPY', 9_900],
    ['1.234', 'KWD', 1_234],
    ['1.2', 'KWD', 1_200],
    ['0.0001', 'CLF', 1],
    ['90071992547409.91', 'USD', Number.MAX_SAFE_INTEGER],
  ])('%s %s is %d minor units', (text, currency, minor) => {
    expect(decimalToMinor(text, currency)).toBe(minor);
  });

  it.each([
    ['75.001', 'USD'],
    ['9900.5', 'JPY'],
    ['1.2345', 'KWD'],
    ['90071992547409.92', 'USD'],
    ['1e3', 'USD'],
    ['', 'USD'],
    ['.5', 'USD'],
    ['5.', 'USD'],
    ['1,000.00', 'USD'],
    [' 1.00', 'USD'],
    ['NaN', 'USD'],
    ['0x10', 'USD'],
  ])('%j in %s is refused, not rounded', (text, currency) => {
    expect(decimalToMinor(text, currency)).toBeNull();
  });

  it('every amount of cents survives being written as a decimal', () => {
    const currencies = fc.constantFrom('USD', 'JPY', 'KWD', 'CLF');
    fc.assert(
      fc.property(fc.maxSafeInteger(), currencies, (minor, currency) => {
        const digits = minorUnitDigits(currency);
        const size = String(Math.abs(minor)).padStart(digits + 1, '0');
        const cut = size.length - digits;
        const text = `${minor < 0 ? '-' : ''}${size.slice(0, cut)}.${size.slice(cut)}`;
        expect(decimalToMinor(digits === 0 ? text.slice(0, -1) : text, currency)).toBe(minor + 0);
      }),
    );
  });

  it('any text is an integer or null, and nothing throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, currency) => {
        const minor = decimalToMinor(text, currency);
        expect(minor === null || Number.isSafeInteger(minor)).toBe(true);
      }),
    );
  });
});

describe("Stripe's integer amounts", () => {
  it.each([
    [7_500, 'USD', 7_500],
    [500, 'JPY', 500],
    [1_230, 'KWD', 1_230],
    [500, 'ISK', 5],
    [500, 'UGX', 5],
    [5, 'MGA', 500],
    [0, 'ISK', 0],
  ])('%d of %s is %d in ISO 4217 minor units', (amount, currency, minor) => {
    expect(stripeToMinor(amount, currency)).toBe(minor);
  });

  it('a fraction of a currency without fractions is refused', () => {
    expect(stripeToMinor(550, 'ISK')).toBeNull();
  });

  it('an amount that would not be exact is refused', () => {
    expect(stripeToMinor(Number.MAX_SAFE_INTEGER, 'MGA')).toBeNull();
    expect(stripeToMinor(0.5, 'USD')).toBeNull();
  });
});

describe('currency codes', () => {
  it('come out in capitals', () => {
    expect(currencyCode.parse('usd')).toBe('USD');
  });

  it.each(['', 'US', 'USDT', 'U$D', '١٢٣'])('%j is refused', (text) => {
    expect(currencyCode.safeParse(text).success).toBe(false);
  });
});

describe('lossless JSON', () => {
  it('keeps every digit of an integer beyond 2^53, as a string', () => {
    expect(parseLossless('{"id":9007199254740993,"list":[-9007199254740993]}')).toEqual({
      id: '9007199254740993',
      list: ['-9007199254740993'],
    });
  });

  it('leaves numbers that a double holds exactly, and fractions, as numbers', () => {
    expect(parseLossless('[9007199254740991,-1,0,1.5,1e3]')).toEqual([
      Number.MAX_SAFE_INTEGER,
      -1,
      0,
      1.5,
      1_000,
    ]);
  });

  it('keeps a number beyond the range of doubles as its text, never Infinity', () => {
    expect(parseLossless('1e400')).toBe('1e400');
  });

  it('does not read a __proto__ member as a prototype', () => {
    const parsed = parseLossless('{"__proto__":{"admin":true}}');
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
  });

  it.each(['', '{', '{"a":01}', 'undefined', "{'a':1}"])('%j is a SyntaxError', (text) => {
    expect(() => parseLossless(text)).toThrow(SyntaxError);
  });

  it('agrees with JSON.parse on everything else', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const rounded = /\d{16}/.test(text);
        fc.pre(!rounded);
        expect(parseLossless(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('gives back any integer digit for digit', () => {
    fc.assert(
      fc.property(fc.bigInt(), (id) => {
        expect(String(parseLossless(String(id)))).toBe(String(id));
      }),
    );
  });
});
