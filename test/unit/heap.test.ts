/** `npm run serve` gives workerd's heaps room, unless whoever starts it has said otherwise. */
import { afterEach, expect, test, vi } from 'vitest';
import { giveRoom } from '../../scripts/support/heap.mjs';

const NAME = 'MINIFLARE_WORKERD_V8_FLAGS';
afterEach(() => vi.unstubAllEnvs());

test('the flags for V8 are set where Miniflare reads them', () => {
  vi.stubEnv(NAME, undefined);
  giveRoom();
  expect(process.env[NAME]).toMatch(/^--initial-old-space-size=\d+$/);
});

test('flags that are there stay', () => {
  vi.stubEnv(NAME, '--stack-size=2000');
  giveRoom();
  expect(process.env[NAME]).toBe('--stack-size=2000');
});
