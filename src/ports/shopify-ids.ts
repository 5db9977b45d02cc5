/**
 * Shopify's ids, and the mark by which our own work is found again: notes of refunds and
 * cancellations carry the idempotency key.
 */

const NUMERIC = /^\d{1,20}$/;
const ORDER_GID = /^gid:\/\/shopify\/Order\/(\d{1,20})$/;
/** Staff notes have at most 255 characters; what is longer than this beside the mark is cut. */
const REASON_LENGTH_MAX = 120;

/** The global id of an order by its number, or by its global id; null for anything else. */
export function orderGid(orderId: string): string | null {
  const number = NUMERIC.test(orderId) ? orderId : ORDER_GID.exec(orderId)?.[1];
  return number === undefined ? null : `gid://shopify/Order/${number}`;
}

/** The number at the end of a global id, every digit of it: as webhooks have it. */
export function numericId(gid: string): string {
  return gid.slice(gid.lastIndexOf('/') + 1);
}

/** A note for staff: the reason, and the key in brackets. */
export function markOf(idempotencyKey: string, reason: string | undefined): string {
  return [reason?.slice(0, REASON_LENGTH_MAX), mark(idempotencyKey)].filter(Boolean).join(' ');
}

export function marked(note: string | null | undefined, idempotencyKey: string): boolean {
  return note?.includes(mark(idempotencyKey)) ?? false;
}

/** Closed by a bracket, so that no key is the beginning of another one. */
function mark(idempotencyKey: string): string {
  return `[signalbox ${idempotencyKey}]`;
}
