/**
 * JSON text to a value without losing a digit. Shopify's ids exceed 2^53, where a double rounds
 * them to a neighbour's id. An integer that a double cannot hold exactly comes out as a string.
 * Uses the reviver's source text: https://tc39.es/proposal-json-parse-with-source/
 */
import type { Json } from '../contract/json.ts';

const INTEGER = /^-?\d+$/;

/**
 * Parses JSON text. Integers beyond ±(2^53 - 1), and numbers beyond a double's range, become
 * strings with every digit as written; everything else is as JSON.parse has it.
 *
 * @throws SyntaxError when the text is not JSON
 * @throws RangeError when it is nested too deeply for the stack (tens of thousands of levels)
 */
export function parseLossless(text: string): Json {
  return JSON.parse(text, keepDigits);
}

/** The third argument is newer than the compiler's library, hence optional here. */
function keepDigits(_key: string, value: Json, context?: { readonly source?: string }): Json {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  const rounded = !Number.isSafeInteger(value) && INTEGER.test(context.source);
  return rounded || !Number.isFinite(value) ? context.source : value;
}
