/** The webhook port: what it makes of a connection and a destination, before and after the request. */
import { createServer } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { idAtTime } from '../../src/contract/json.ts';
import { type SealedConnection, sealConnection } from '../../src/ports/connections.ts';
import { destinationRules } from '../../src/ports/destination.ts';
import type { DestinationGate } from '../../src/ports/index.ts';
import { newSigningSecret } from '../../src/ports/webhook-keys.ts';
import { signedWebhooks } from '../../src/ports/webhook-port.ts';

const SEAL_KEY = 'unit-seal-key-0123456789abcdef0123456789ab';
const RULES = destinationRules({ ENVIRONMENT: 'development', OWN_HOSTS: '' }, []);

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function listen(): Promise<string> {
  const server = createServer((_request, response) => response.end('fine'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}/hook`;
}

async function connectionOf(sealKey = SEAL_KEY): Promise<SealedConnection> {
  const webhook = { kind: 'webhook', signingSecret: newSigningSecret() } as const;
  return await sealConnection({ SEAL_KEY: sealKey }, 't1', webhook, new Date().toISOString());
}

async function send(
  connection: SealedConnection | undefined,
  url: string,
  gate: DestinationGate = async () => null,
) {
  const call = { tenantId: 't1', runId: 'run_1', idempotencyKey: 'run_1_a', timeoutMs: 5_000 };
  const port = signedWebhooks({ SEAL_KEY }, 't1', connection, { gate, rules: RULES });
  const webhook = { url, method: 'POST', headers: {}, body: { a: 1 } };
  return await port.send({ ...call, now: Date.now() }, webhook);
}

test('a delivery is found under the time at which its request began, however long it was held up', async () => {
  const outcome = await send(await connectionOf(), await listen(), async () => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    return null;
  });
  const delivery = outcome.kind === 'succeeded' ? outcome.delivery : undefined;
  expect(delivery?.id.slice(0, 'dlv_'.length + 12)).toBe(
    idAtTime('dlv', delivery?.startedAt ?? ''),
  );
});

test.each([
  ['no connection', async () => undefined],
  ['a secret that was sealed under another key', () => connectionOf(`${SEAL_KEY}x`)],
])('%s can be mended, so the webhook is tried again', async (_what, made) => {
  const outcome = await send(await made(), 'https://example.com/hook');
  expect(outcome).toMatchObject({
    kind: 'failed',
    error: { code: 'no_signing_secret' },
    retryable: true,
  });
  expect(outcome).not.toHaveProperty('delivery');
});

test('nothing is sent to a destination that is shut, and it is said when to ask again', async () => {
  const outcome = await send(await connectionOf(), 'https://example.com/hook?a=b', async () => ({
    retryAfterMs: 7_000,
  }));
  expect(outcome).toMatchObject({
    kind: 'failed',
    error: { code: 'endpoint_disabled' },
    retryable: true,
    retryAfterMs: 7_000,
    delivery: { destination: 'https://example.com/hook', responseStatus: null, durationMs: 0 },
  });
});
