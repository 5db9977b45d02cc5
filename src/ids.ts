/** New ids: a prefix and a UUIDv7 (RFC 9562) in hex, so that ids sort by the time they were made. */
import { v7 } from 'uuid';
import type { IdPrefix } from './contract/json.ts';

export function newId(prefix: IdPrefix): string {
  return `${prefix}_${v7().replaceAll('-', '')}`;
}
