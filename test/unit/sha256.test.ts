/** SHA-256 is the Workers runtime's there, and JavaScript's elsewhere: chains of both have to be the same. */
import { expect, test } from 'vitest';
import { sha256 as portable } from '../../src/engine/sha256-portable.ts';
import { sha256 as ofRuntime } from '../../src/engine/sha256-workerd.ts';

test('both ways to a SHA-256 are one', () => {
  for (let length = 0; length <= 130; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 7 + length) % 256);
    expect([...ofRuntime(bytes)]).toEqual([...portable(bytes)]);
  }
});
