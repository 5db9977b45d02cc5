/**
 * Twenty thousand orders through the feed into a file, with `kill -9` of the runtime in the middle.
 * `npm run bench:exports` does the same with a million.
 */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  checkLines,
  type Exported,
  exportWhen,
  feedOrders,
  killRuntime,
  orderOf,
  startExport,
  watchMemory,
} from './support/exports.ts';
import {
  BY_SERVE,
  newPlace,
  type Place,
  removePlace,
  type Server,
  startServer,
} from './support/server.ts';
import {
  createWorkflow,
  newSigningSecret,
  openTenant,
  runIn,
  type Tenant,
} from './support/tenant.ts';

const ORDERS = 20_000;
/** Some 26 MiB in all: a second or more for the slice that is killed. */
const PADDING = 1_000;
/** What the runtime takes by itself, and what an export of any size may add. */
const PEAK_MIB = 768;

const made = z.object({ link: z.object({ url: z.string() }) });

let place: Place;
let server: Server;
let tenant: Tenant;
let file: Exported;

beforeAll(async () => {
  place = await newPlace();
  server = await startServer(place, ['--no-demo'], BY_SERVE);
  tenant = await openTenant(server, newSigningSecret());
  const actions = { 'export.orders': { required: false } };
  await server
    .as(tenant.keys.admin)
    .post('/api/admin/approval-policy/update', { actions }, z.any());
  await createWorkflow(server, tenant, {
    name: 'Export',
    trigger: { event: 'custom.export' },
    steps: [{ id: 'out', action: 'export.orders', with: { format: 'ndjson' } }],
  });
  await feedOrders(server, tenant, ORDERS, PADDING);
});
afterAll(async () => {
  await server?.stop();
  removePlace(place);
});

it('has every order once, in constant memory, though the runtime is killed at work', async () => {
  const memory = watchMemory(server);
  const runId = await startExport(server, tenant, 'custom.export', false);
  await exportWhen(
    server,
    tenant,
    'a slice to let another request in',
    ({ status }) => status === 'running',
  );
  await killRuntime(server);
  await exportWhen(server, tenant, 'it to be unfinished', ({ status }) => status === 'running');
  await runIn(server, tenant, runId, 'succeeded');
  file = await exportWhen(server, tenant, 'the file', ({ status }) => status === 'completed');
  await memory.stop();
  expect(file.rows).toBe(ORDERS);
  expect(memory.peak()).toBeLessThan(PEAK_MIB);
  const response = await fetch(`${server.origin}/api/admin/exports/get?id=${file.id}`, {
    headers: { authorization: `Bearer ${tenant.keys.admin}` },
  });
  const bytes = await checkLines(response, ORDERS, (n) => JSON.stringify(orderOf(n, PADDING)));
  expect(bytes).toBe(file.bytes);
});

describe('a link, on the wire', () => {
  let link: string;
  beforeAll(async () => {
    const admin = server.as(tenant.keys.admin);
    ({
      link: { url: link },
    } = await admin.post('/api/admin/exports/link', { id: file.id }, made));
  });

  it('leads to this server, and says how long the file is before it comes', async () => {
    expect(link.startsWith(`${server.origin}/exports/`)).toBe(true);
    for (const method of ['HEAD', 'GET']) {
      const headers = await headersOf(link, method, {});
      expect(headers, method).toMatchObject({ 'content-length': String(file.bytes) });
      expect(headers, method).not.toHaveProperty('transfer-encoding');
    }
    const part = await headersOf(link, 'GET', { range: 'bytes=5-14' });
    expect(part).toMatchObject({
      'content-length': '10',
      'content-range': `bytes 5-14/${file.bytes}`,
    });
  });

  it('goes on where a download broke off', async () => {
    const half = Math.floor(file.bytes / 2);
    const parts: ArrayBuffer[] = [];
    for (const range of [`bytes=0-${half}`, `bytes=${half + 1}-`]) {
      const response = await fetch(link, { headers: { range, 'if-range': `"${file.id}"` } });
      expect(response.status).toBe(206);
      parts.push(await response.arrayBuffer());
    }
    const whole = new Response(new Blob(parts));
    await checkLines(whole, ORDERS, (n) => JSON.stringify(orderOf(n, PADDING)));
  });
});

/** As they came: `fetch` would hide how the body is framed. */
function headersOf(url: string, method: string, headers: Record<string, string>) {
  return new Promise<object>((resolve, reject) => {
    const asked = request(url, { method, headers }, (answer) => {
      resolve(answer.headers);
      answer.destroy();
    });
    asked.once('error', reject);
    asked.end();
  });
}
