/**
 * As much of Node's module as is used of it, here and in tests. Its own types would bring Node's globals
 * along, most of which the Workers runtime has not.
 */
declare module 'node:crypto' {
  interface Sha256Hash {
    update(input: Uint8Array | string): Sha256Hash;
    digest(): Uint8Array;
    digest(encoding: 'hex'): string;
  }
  export function createHash(algorithm: 'sha256'): Sha256Hash;
}
