/** The code that docs/webhooks.md gives to receivers works: it takes what we sign, and nothing else. */
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { newPrivateKey, newSigningSecret, openSigningKey } from '../../src/ports/webhook-keys.ts';
import { signWebhook } from '../../src/ports/webhook-signature.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/webhooks.md'), 'utf8');
const ID = 'run_1_send';
const BODY = '{"note":"Zoë"}';
const NOW = Date.parse('2026-03-01T12:00:00.000Z');

beforeEach(() => void vi.setSystemTime(NOW));
afterEach(() => void vi.useRealTimers());

type Example = (keys: unknown, headers: object, body: string) => unknown;

/** A function of the page, with what its example imports. */
function ofPage(name: string, imports: Readonly<Record<string, unknown>>): Example {
  const blocks = [...PAGE.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code = '']) => code);
  const code = blocks.find((block) => block.includes(`export function ${name}(`)) ?? '';
  const plain = code.replaceAll(/^import .*$/gm, '').replace('export function', 'return function');
  return new Function(...Object.keys(imports), plain)(...Object.values(imports));
}

async function signed(keys: readonly string[], seconds = NOW / 1_000) {
  return {
    'webhook-id': ID,
    'webhook-timestamp': String(seconds),
    'webhook-signature': await signWebhook(keys, ID, seconds, BODY),
  };
}

test('with a shared secret', async () => {
  const readWebhook = ofPage('readWebhook', { Webhook });
  const secret = newSigningSecret();
  const headers = await signed([newSigningSecret(), secret]);
  expect(readWebhook(secret, headers, BODY)).toEqual(JSON.parse(BODY));
  expect(() => readWebhook(secret, headers, `${BODY} `)).toThrow();
  expect(() => readWebhook(newSigningSecret(), headers, BODY)).toThrow();
});

test('with the public key, or the former one in a rotation', async () => {
  const isOurs = ofPage('isOurs', { createPublicKey, verify });
  const [old, fresh, strange] = [newPrivateKey(), newPrivateKey(), newPrivateKey()];
  const keyOf = async (key: string) => ({ publicKey: (await openSigningKey(key))?.publicKey });
  const headers = await signed([newSigningSecret(), fresh, old]);
  expect(isOurs([await keyOf(fresh)], headers, BODY)).toBe(true);
  expect(isOurs([await keyOf(strange), await keyOf(old)], headers, BODY)).toBe(true);
  expect(isOurs([await keyOf(strange)], headers, BODY)).toBe(false);
  expect(isOurs([await keyOf(fresh)], headers, `${BODY} `)).toBe(false);
  const another = { ...headers, 'webhook-id': 'run_2_send' };
  expect(isOurs([await keyOf(fresh)], another, BODY)).toBe(false);
});

test('not what is old, from the future, or has no time or signature', async () => {
  const isOurs = ofPage('isOurs', { createPublicKey, verify });
  const key = newPrivateKey();
  const keys = [{ publicKey: (await openSigningKey(key))?.publicKey }];
  for (const seconds of [-301, 301])
    expect(isOurs(keys, await signed([key], NOW / 1_000 + seconds), BODY)).toBe(false);
  const { 'webhook-timestamp': _time, ...timeless } = await signed([key]);
  const { 'webhook-signature': _signature, ...unsigned } = await signed([key]);
  expect(isOurs(keys, timeless, BODY)).toBe(false);
  expect(isOurs(keys, unsigned, BODY)).toBe(false);
  expect(isOurs(keys, await signed([key]), BODY)).toBe(true);
});
