/**
 * UUIDv7 in place of the package's: that one remembers the newest time that it saw, so an id would
 * depend on the schedules before. This one forgets with each world. Ids of one millisecond sort as they
 * were made, as there.
 */

export { v5 } from 'uuid';

let last = { ms: 0, count: 0 };

/** A new world begins. */
export function forgetIds(): void {
  last = { ms: 0, count: 0 };
}

export function v7({ msecs }: { readonly msecs?: number } = {}): string {
  if (msecs !== undefined) return written(msecs, Math.floor(Math.random() * 0xfff));
  const now = Date.now();
  last = now > last.ms ? { ms: now, count: 0 } : { ms: last.ms, count: last.count + 1 };
  return written(last.ms + Math.floor(last.count / 0xfff), last.count % 0xfff);
}

function written(ms: number, count: number): string {
  const random = [...crypto.getRandomValues(new Uint8Array(8))];
  const tail = random.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const hex = `${ms.toString(16).padStart(12, '0')}7${count.toString(16).padStart(3, '0')}8${tail.slice(1)}`;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
