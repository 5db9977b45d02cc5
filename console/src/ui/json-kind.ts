/** Kinds of JSON values. (The contract's own test for it comes with zod, which the console leaves out.) */
import type { Json, JsonArray, JsonObject } from '../../../src/contract/json.ts';

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isJsonArray(value: Json | undefined): value is JsonArray {
  return Array.isArray(value);
}

export function textOr(value: Json | undefined, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}
