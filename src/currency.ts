/**
 * Minor units: how many decimals each currency has, and the two ways vendors write amounts.
 * Exponents are those of ISO 4217 List One (SIX, https://www.six-group.com/en/products-services/
 * financial-information/data-standards.html). No amount is ever a floating-point fraction.
 */
import * as z from 'zod';
import type { Money } from './contract/json.ts';
import { later } from './contract/later.ts';

/** Currencies whose exponent is not 2. */
const EXPONENTS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
    3: 'BHD IQD JOD KWD LYD OMR TND',
    4: 'CLF UYW',
  }).flatMap(([digits, codes]) => codes.split(' ').map((code) => [code, Number(digits)] as const)),
);

/**
 * Where Stripe's unit is not ISO 4217's: MGA is on its zero-decimal list, and ISK and UGX stay
 * two-decimal for backward compatibility. Its three-decimal currencies end in 0 but are
 * thousandths, as in ISO 4217. https://docs.stripe.com/currencies#special-cases
 */
const STRIPE_EXPONENTS: ReadonlyMap<string, number> = new Map([
  ['ISK', 2],
  ['MGA', 0],
  ['UGX', 2],
]);

const DECIMAL = /^(-?)(\d{1,30})(?:\.(\d{1,30}))?$/;

/** A currency code in either case; comes out in capitals. */
export const currencyCode = later(() =>
  z
    .string()
    .toUpperCase()
    .regex(/^[A-Z]{3}$/, 'an ISO 4217 code, such as USD'),
);

/** Decimals of a currency by ISO 4217; 2 for every code that is not listed with another number. */
export function minorUnitDigits(currency: string): number {
  return EXPONENTS.get(currency) ?? 2;
}

/**
 * A decimal text, such as "75.00", in minor units (7500 for USD, "75" JPY is 75). Zeros past the
 * currency's decimals are allowed. Null when it is no such text, has more decimals than the
 * currency, or does not fit a safe integer.
 */
export function decimalToMinor(text: string, currency: string): number | null {
  const [, sign, whole, fraction = ''] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) return null;
  const digits = minorUnitDigits(currency);
  if (/[1-9]/.test(fraction.slice(digits))) return null;
  const size = Number(whole + fraction.slice(0, digits).padEnd(digits, '0'));
  if (!Number.isSafeInteger(size)) return null;
  return sign === '-' && size !== 0 ? -size : size;
}

/** An amount for people: 7500 USD is "75.00 USD", 75 JPY is "75 JPY". */
export function moneyText(money: Money): string {
  return `${minorToDecimal(money)} ${money.currency}`;
}

/** An amount as a decimal text: 7500 USD is "75.00", 75 JPY is "75", 7500 KWD is "7.500". */
export function minorToDecimal({ amount, currency }: Money): string {
  const digits = minorUnitDigits(currency);
  const size = String(Math.abs(amount)).padStart(digits + 1, '0');
  const whole = size.slice(0, size.length - digits);
  const fraction = digits === 0 ? '' : `.${size.slice(-digits)}`;
  return `${amount < 0 ? '-' : ''}${whole}${fraction}`;
}

/**
 * An amount in the unit that Stripe takes for its currency: 100 ISK is 10000 there. Null when Stripe
 * has no such amount: a fraction of an ariary, or thousandths of a dinar that do not end in 0, which
 * its partners refuse. https://docs.stripe.com/currencies#three-decimal
 */
export function minorToStripe({ amount, currency }: Money): number | null {
  const digits = minorUnitDigits(currency);
  if (digits === 3 && amount % 10 !== 0) return null;
  const shift = (STRIPE_EXPONENTS.get(currency) ?? digits) - digits;
  const factor = 10 ** Math.abs(shift);
  const converted = shift < 0 ? amount / factor : amount * factor;
  return Number.isSafeInteger(converted) ? converted : null;
}

/**
 * An integer amount as Stripe states it, in ISO 4217 minor units: 10000 ISK there is 100 here.
 * Null when it has a fraction the currency does not have, or does not fit a safe integer.
 */
export function stripeToMinor(amount: number, currency: string): number | null {
  const digits = minorUnitDigits(currency);
  const shift = digits - (STRIPE_EXPONENTS.get(currency) ?? digits);
  const factor = 10 ** Math.abs(shift);
  const converted = shift < 0 ? amount / factor : amount * factor;
  return Number.isSafeInteger(converted) ? converted : null;
}
