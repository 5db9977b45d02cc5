/**
 * Canonical JSON (RFC 8785) at the speed that a whole audit chain needs. For values as we make them,
 * JSON.stringify already writes the canonical text once the names are in order; all others (names
 * that an object would put elsewhere, text without UTF-8, values left undefined) go to the library.
 */
import {
  canonicalJson,
  isJsonObject,
  type Json,
  type JsonArray,
  type JsonObject,
} from '../contract/json.ts';

/** The one text of a JSON value, as canonicalJson. Throws for what has none (RFC 8785, 3.1). */
export function canonicalText(value: Json): string {
  const plain = inOrder(value);
  return plain === undefined ? canonicalJson(value) : JSON.stringify(plain);
}

/** A copy with the names of each object in order; undefined when the library must see to it. */
function inOrder(value: Json | undefined): Json | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? value : undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (isJsonObject(value)) return objectInOrder(value);
  return Array.isArray(value) ? listInOrder(value) : value;
}

function objectInOrder(value: JsonObject): JsonObject | undefined {
  const ordered: Record<string, Json> = {};
  // Sorting compares UTF-16 code units, which is the order of RFC 8785.
  for (const name of Object.keys(value).sort()) {
    const item = inOrder(value[name]);
    if (item === undefined || !isPlainName(name)) return undefined;
    ordered[name] = item;
  }
  return ordered;
}

function listInOrder(value: JsonArray): JsonArray | undefined {
  const items = value.map(inOrder).filter((item) => item !== undefined);
  return items.length === value.length ? items : undefined;
}

/** Names that begin with a-z or `$` stay where they are put, unlike '1' and '__proto__'. */
function isPlainName(name: string): boolean {
  const first = name.charCodeAt(0);
  return ((first >= 0x61 && first <= 0x7a) || first === 0x24) && name.isWellFormed();
}
