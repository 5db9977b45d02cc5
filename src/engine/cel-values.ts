/**
 * CEL values at run time and what becomes of them as JSON (RFC 8259). Whole numbers are BigInt inside
 * CEL; outside, a number is a double, so integers beyond 2^53 are refused instead of rounded.
 */
import { Optional } from '@marcbachmann/cel-js';
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import type { Json } from '../contract/json.ts';
import { CelFault, type Place, pay, takeRoom, textSteps } from './budget.ts';

type PlainObject = Readonly<Record<string, unknown>>;

/** A JSON object by its prototype: a field named `constructor` does not disguise it. */
export function isPlainObject(value: unknown): value is PlainObject {
  if (typeof value !== 'object' || value === null) return false;
  // The quick answer for nearly all: no JSON field can hold the function `Object`.
  if (value.constructor === Object) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export function isContainer(value: unknown): value is PlainObject | readonly unknown[] {
  return typeof value === 'object' && (isPlainObject(value) || Array.isArray(value));
}

/** 'a string', 'a list', … as it stands in messages. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return 'a string';
  if (typeof value === 'boolean') return 'true or false';
  if (typeof value === 'number' || typeof value === 'bigint') return 'a number';
  if (Array.isArray(value)) return 'a list';
  return isPlainObject(value) ? 'an object' : kindOfLibraryValue(value);
}

function kindOfLibraryValue(value: unknown): string {
  if (value instanceof UnsignedInt) return 'a number';
  if (value instanceof Date) return 'a timestamp';
  if (value instanceof Duration) return 'a duration';
  if (value instanceof Uint8Array) return 'bytes';
  return value instanceof Optional ? 'an optional value' : 'a type';
}

/**
 * CEL equality for lists, objects and what is in them: 1 equals 1.0, different kinds differ.
 * Pays for each value it looks at, since two small expressions can build two huge trees.
 */
export function equalValues(left: unknown, right: unknown, place: Place): boolean {
  pay(typeof left === 'string' ? 1 + textSteps(left.length) : 1, place);
  if (left === right) return true;
  if (left instanceof UnsignedInt) return equalValues(left.value, right, place);
  if (right instanceof UnsignedInt) return equalValues(left, right.value, place);
  if (typeof left === 'bigint' && typeof right === 'number') return equalNumbers(left, right);
  if (typeof left === 'number' && typeof right === 'bigint') return equalNumbers(right, left);
  if (Array.isArray(left)) return Array.isArray(right) && equalLists(left, right, place);
  if (isPlainObject(left)) return isPlainObject(right) && equalObjects(left, right, place);
  return equalLibraryValues(left, right);
}

function equalNumbers(whole: bigint, double: number): boolean {
  return Number.isInteger(double) && BigInt(double) === whole;
}

function equalLists(left: readonly unknown[], right: readonly unknown[], place: Place): boolean {
  if (left.length !== right.length) return false;
  return left.every((item, index) => equalValues(item, right[index], place));
}

function equalObjects(left: PlainObject, right: PlainObject, place: Place): boolean {
  const names = Object.keys(left);
  pay(names.length, place);
  if (names.length !== Object.keys(right).length) return false;
  return names.every(
    (name) => Object.hasOwn(right, name) && equalValues(left[name], right[name], place),
  );
}

/** Timestamps and durations inside of lists compare by what they stand for. */
function equalLibraryValues(left: unknown, right: unknown): boolean {
  if (typeof left !== 'object' || left === null) return false;
  if (typeof right !== 'object' || right === null) return false;
  return kindOf(left) === kindOf(right) && left.valueOf() === right.valueOf();
}

const SECONDS_MAX = 315_576_000_000n;

/** Whether cel-spec has such a time (years 1 to 9999) or duration (10,000 years either way). */
export function isInRange(value: unknown): boolean {
  if (value instanceof Date) return value.getUTCFullYear() >= 1 && value.getUTCFullYear() <= 9_999;
  if (!(value instanceof Duration)) return true;
  return value.seconds >= -SECONDS_MAX && value.seconds <= SECONDS_MAX;
}

/**
 * A CEL value as JSON, copied, so that no result shares an object with the event.
 * Throws a CelFault for what JSON cannot hold and for results beyond the budget.
 */
export function toJson(value: unknown): Json {
  if (typeof value === 'string') return textToJson(value);
  if (typeof value === 'boolean' || value === null) return scalarToJson(value);
  if (typeof value === 'number') return doubleToJson(value);
  if (typeof value === 'bigint') return wholeToJson(value);
  if (Array.isArray(value)) return listToJson(value);
  return isPlainObject(value) ? objectToJson(value) : libraryValueToJson(value);
}

function textToJson(value: string): string {
  takeRoom(value.length + 2);
  return value;
}

function scalarToJson(value: boolean | null): boolean | null {
  takeRoom(4);
  return value;
}

function doubleToJson(value: number): number {
  if (!Number.isFinite(value)) throw new CelFault(`gives ${value}, which JSON cannot hold`, null);
  takeRoom(1);
  return value;
}

function wholeToJson(value: bigint): number {
  const double = Number(value);
  if (Number.isSafeInteger(double)) return doubleToJson(double);
  const reason = `gives ${value}, which is beyond what a JSON number holds; use string()`;
  throw new CelFault(reason, null);
}

function listToJson(list: readonly unknown[]): Json {
  takeRoom(list.length + 2);
  return list.map(toJson);
}

/** fromEntries defines fields, it never assigns: a field named `__proto__` stays a plain field. */
function objectToJson(object: PlainObject): Json {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => {
      takeRoom(name.length + 4);
      return [name, toJson(value)];
    }),
  );
}

function libraryValueToJson(value: unknown): Json {
  if (value instanceof UnsignedInt) return wholeToJson(value.value);
  if (value instanceof Date) return textToJson(value.toISOString());
  if (value instanceof Duration) return textToJson(durationText(value));
  if (value instanceof Optional) {
    throw new CelFault('is an optional value; say what stands in for it with .orValue()', null);
  }
  throw new CelFault(`gives ${kindOf(value)}, which JSON cannot hold`, null);
}

/** Seconds with up to nine decimals, as protobuf writes durations in JSON: `5400s`, `-1.5s`. */
function durationText(duration: Duration): string {
  const nanos = duration.seconds * 1_000_000_000n + BigInt(duration.nanos);
  const size = nanos < 0n ? -nanos : nanos;
  const digits = size.toString().padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  const whole = digits.slice(0, -9);
  return `${nanos < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}s`;
}
