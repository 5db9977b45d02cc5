/**
 * What JSON text tells before and beside its parsing: how deep it nests, and what JSON.parse would pass
 * over without a word (a field that is given twice, digits that a double cannot hold). Readers disagree
 * on both, so what one has checked is not what the other acts on: RFC 8259, 4 and 6; RFC 7493.
 */
import type { Json } from '../contract/json.ts';

export interface JsonShape {
  /** How deep brackets nest: known before anything recursive touches the text. */
  readonly depth: number;
  /** Fields of all objects, each as often as it is given. */
  readonly fields: number;
  /** A number may be beyond a double: it has many digits or an exponent. */
  readonly hasWideNumber: boolean;
}

/** A double holds every integer of so few digits. */
const DIGITS_SAFE = 15;

/** One pass over the text. It need not be JSON: then the parser finds out. */
export function shapeOf(text: string): JsonShape {
  let [depth, deepest, fields, digits] = [0, 0, 0, 0];
  let [inString, hasWideNumber] = [false, false];
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (inString) {
      if (char === 0x5c) at += 1;
      else if (char === 0x22) inString = false;
      continue;
    }
    if (char >= 0x30 && char <= 0x39) digits += 1;
    else {
      // `e` and `E` after a digit: an exponent.
      hasWideNumber ||= digits > DIGITS_SAFE || (digits > 0 && (char | 0x20) === 0x65);
      digits = 0;
      if (char === 0x22) inString = true;
      else if (char === 0x3a) fields += 1;
      else if (char === 0x7b || char === 0x5b) deepest = Math.max(deepest, ++depth);
      else if (char === 0x7d || char === 0x5d) depth -= 1;
    }
  }
  return { depth: deepest, fields, hasWideNumber: hasWideNumber || digits > DIGITS_SAFE };
}

/** Fields of all objects of a value, each once. */
export function countFields(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value);
  const own = Array.isArray(value) ? 0 : inner.length;
  return inner.reduce<number>((sum, child) => sum + countFields(child), own);
}

const INTEGER = /^-?\d+$/;

/**
 * The first number of a JSON text that would not come back as it was written, or null. Fractions are
 * rounded by everybody, and meant so.
 */
export function numberLost(text: string): string | null {
  let lost: string | null = null;
  JSON.parse(text, (_key, value: Json, context?: { readonly source?: string }) => {
    const source = context?.source ?? '';
    if (typeof value === 'number' && isLost(value, source)) lost ??= source;
    return null;
  });
  return lost;
}

function isLost(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return true;
  return !Number.isSafeInteger(value) && INTEGER.test(source) && String(value) !== source;
}
