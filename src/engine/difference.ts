/** What differs between two JSON values, place by place. */
import type { Change } from '../contract/entries.ts';
import { isJsonObject, type Json, type JsonObject } from '../contract/json.ts';
import { hashJson } from './chain.ts';

/** Objects are compared field by field; anything else as a whole. Paths are dotted. */
export function differences(
  before: Json | undefined,
  after: Json | undefined,
  path = '',
): Change[] {
  if (isJsonObject(before) && isJsonObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) =>
      differences(own(before, name), own(after, name), path === '' ? name : `${path}.${name}`),
    );
  }
  if (before === undefined && after === undefined) return [];
  if (before !== undefined && after !== undefined && hashJson(before) === hashJson(after))
    return [];
  return [{ path, before: before ?? null, after: after ?? null }];
}

/** A field may be called `toString`: only what the object has itself is a value. */
function own(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
