/** SHA-256 of the Workers runtime, which has one that answers without waiting: `#sha256` of package.json. */
import { createHash } from 'node:crypto';

export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}
