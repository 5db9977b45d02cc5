/** The product as a system of the bench, by `npm run serve`: a tenant with 20 workflows, one matches. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startScript } from './processes.ts';
import type { System } from './system.ts';

const WORKFLOWS = 20;

export async function startProduct(sinkUrl: string): Promise<System> {
  const port = await freePort();
  const stateDir = mkdtempSync(join(tmpdir(), 'bench-product-'));
  const token = randomBytes(24).toString('hex');
  const env = { PORT: String(port), STATE_DIR: stateDir, PLATFORM_TOKEN: token };
  const { stop } = await startScript(['scripts/serve.mjs', '--no-demo'], /API docs/, env);
  const origin = `http://127.0.0.1:${port}`;
  const { apiKey } = await ask(origin, token, '/api/platform/tenants/create', {
    id: 'bench',
    name: 'Bench',
  });
  for (let n = 0; n < WORKFLOWS; n++)
    await ask(origin, apiKey.secret, '/api/admin/workflows/create', workflow(n, sinkUrl));
  return {
    name: 'Signalbox',
    origin,
    path: '/api/events',
    headers: { authorization: `Bearer ${apiKey.secret}` },
    succeeded: (prefix) => countSucceeded(origin, apiKey.secret, prefix),
    async stop() {
      await stop();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

/** Only the first one's condition is true of the events that are sent. */
function workflow(n: number, url: string) {
  const least = n === 0 ? 10_000 : 10_000_000 + n;
  return {
    name: `Rule ${n}`,
    enabled: true,
    trigger: { event: 'order.created', if: `event.data.order.total.amount > ${least}` },
    steps: [
      { id: 'send', action: 'notify.webhook', with: { url, body: { id: '{{ event.id }}' } } },
    ],
  };
}

/**
 * The prefix is the runs' correlation id: a round sends its events under it as their request id.
 * @returns runs in the log, also such as are there twice
 */
async function countSucceeded(origin: string, key: string, prefix: string): Promise<number> {
  let count = 0;
  let cursor = '';
  do {
    const path = `/api/admin/workflow-runs?limit=200&status=succeeded&correlationId=${prefix}${cursor}`;
    const { items, nextCursor } = await ask(origin, key, path);
    count += items.length;
    cursor = nextCursor === null ? '' : `&cursor=${encodeURIComponent(nextCursor)}`;
  } while (cursor !== '');
  return count;
}

async function ask(origin: string, token: string, path: string, body?: object) {
  const answer = await fetch(`${origin}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const said = await answer.text();
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${said}`);
  return JSON.parse(said);
}
