/** The receiver that the tests of deliveries send to is what it says it is. */
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { answer, FINE, replyByChance } from '../fixtures/receiver/script.ts';
import { selfSigned } from '../fixtures/receiver/self-signed.ts';

test('its certificate is good for whoever trusts it, and refused by everyone else', async () => {
  const pair = selfSigned('127.0.0.1');
  const server = createServer(pair, (_request, response) => response.end('fine'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server.address());
  const get = (ca?: string) =>
    new Promise<number | string | undefined>((resolve) => {
      const options = {
        host: '127.0.0.1',
        port,
        agent: false,
        ...(ca === undefined ? {} : { ca }),
      };
      request(options, ({ statusCode }) => resolve(statusCode))
        .on('error', ({ message }) => resolve(message))
        .end();
    });
  expect(await get(pair.cert)).toBe(200);
  expect(await get()).toMatch(/self-signed/);
  server.closeAllConnections();
  server.close();
});

function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

test('its chance keeps to the odds, and is the same for the same seed', () => {
  const script = {
    seed: 7,
    odds: [
      [0.3, answer(500)],
      [0.2, { kind: 'drop' }],
    ],
  } as const;
  const replies = Array.from({ length: 20_000 }, (_, n) =>
    replyByChance(script, `n=${n >> 3}`, n & 7),
  );
  const share = (kind: (reply: (typeof replies)[number]) => boolean) =>
    replies.filter(kind).length / replies.length;
  expect(share((reply) => reply.kind === 'drop')).toBeCloseTo(0.2, 1);
  expect(share((reply) => reply === FINE)).toBeCloseTo(0.5, 1);
  expect(replies[9]).toEqual(replyByChance(script, 'n=1', 1));
});
