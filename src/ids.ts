/** New ids: a prefix and a UUIDv7 (RFC 9562) in hex, so that ids sort by the time they were made. */
import { v7 } from 'uuid';
import type { IdPrefix } from './contract/json.ts';

/**
 * @param at the time that the id is found by, in milliseconds since 1970; default: now, and then ids of
 *   one millisecond sort as they were made
 */
export function newId(prefix: IdPrefix, at?: number): string {
  const uuid = at === undefined ? v7() : v7({ msecs: at });
  return `${prefix}_${uuid.replaceAll('-', '')}`;
}
