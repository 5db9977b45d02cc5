/**
 * Where a tenant may send us in production: every known way past the guard is tried against the served
 * product, when a workflow is saved and when a template has filled the address in, while a canary
 * listens on this machine. Then the network under it, which has to hold where a name says nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { problem } from '../../src/contract/problems.ts';
import { privateHosts, refusedUrls } from '../fixtures/hostile/addresses.ts';
import { publishedBypasses } from '../unit/support/published.ts';
import {
  BY_SERVE,
  freePort,
  newPlace,
  type Place,
  removePlace,
  type Server,
  startServer,
} from './support/server.ts';
import {
  connect,
  createWorkflow,
  forwarding,
  listRuns,
  newSigningSecret,
  openTenant,
  postEvents,
  type Tenant,
} from './support/tenant.ts';
import { until, within } from './support/wait.ts';

/** Counts whoever connects, even those who then do not speak HTTP. */
const canary = createServer((_request, response) => response.end('found me'));
let found = 0;
canary.on('connection', () => {
  found += 1;
});
let port = 0;
beforeAll(async () => {
  // On every address of this machine, so that none of its names leads past it.
  canary.listen(0);
  await once(canary, 'listening');
  const address = canary.address();
  port = typeof address === 'object' && address !== null ? portOf(address) : 0;
});
afterAll(() => void canary.close());

function portOf(address: AddressInfo): number {
  return address.port;
}

/** Everything that is known, and the canary itself by every name: its port is open to the tenant. */
function hostileUrls(): string[] {
  const atCanary = privateHosts().flatMap((host) => [
    `http://${host}:${port}/`,
    `https://${host}:${port}/`,
  ]);
  return [...new Set([...refusedUrls(), ...publishedBypasses(), ...atCanary])];
}

describe('the served product in production', () => {
  let place: Place;
  let server: Server;
  let tenant: Tenant;
  beforeAll(async () => {
    place = await newPlace();
    server = await startServer(place, ['--no-demo'], BY_SERVE, { ENVIRONMENT: 'production' });
    tenant = await openTenant(server, newSigningSecret());
    await connect(server, tenant, { kind: 'destinations', allow: ['*', `*:${port}`] });
  });
  afterAll(async () => {
    await server?.stop();
    removePlace(place);
  });

  it('saves none of these addresses, in a workflow or anywhere else', async () => {
    const urls = hostileUrls();
    const admin = server.as(tenant.keys.admin);
    for (const some of inChunks(urls, 50)) {
      const steps = some.map((url, index) => ({
        id: `s${index}`,
        action: 'notify.webhook',
        needs: [],
        with: { url },
      }));
      const body = { name: 'Out', trigger: { event: 'custom.out' }, steps };
      const answer = await admin.call('POST', '/api/admin/workflows/create', body);
      const { errors } = problem.unwrap().loose().parse(JSON.parse(answer.text));
      expect(answer.status).toBe(400);
      expect(new Set(errors.map(({ path }) => path))).toEqual(
        new Set(some.map((_url, index) => `steps.${index}.with.url`)),
      );
    }
    for (const url of [
      `http://127.0.0.1:${port}/`,
      'https://169.254.169.254/',
      'file:///etc/passwd',
    ]) {
      const token = { service: 'unleash', environment: 'production', apiToken: 'token-0123456789' };
      const bodies = [
        ['/api/admin/approval-policy/update', { notifyUrl: url }],
        ['/api/admin/connections/set', { kind: 'flags', url, ...token }],
      ] as const;
      for (const [path, body] of bodies)
        expect((await admin.call('POST', path, body)).status, `${path} ${url}`).toBe(400);
    }
    expect(found).toBe(0);
  });

  it('sends to none of them when a template fills one in', async () => {
    await createWorkflow(server, tenant, forwarding('custom.out', '{{ event.data.url }}'));
    const urls = hostileUrls();
    for (const some of inChunks(urls, 250))
      await postEvents(
        server,
        tenant,
        some.map((url) => ({ type: 'custom.out', data: { url } })),
      );
    await until('every run to have ended', async () => {
      const failed = await listRuns(server, tenant, 'status=failed');
      return failed.length === urls.length;
    });
    const deliveries = z.object({ items: z.array(z.unknown()) });
    const sent = await server.as(tenant.keys.viewer).get('/api/admin/deliveries', deliveries);
    expect(sent.items).toEqual([]);
    expect(found).toBe(0);
  });

  it('pings none of them either', async () => {
    const admin = server.as(tenant.keys.admin);
    const checked = z.object({ ok: z.boolean() });
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:7f00:1]', '2130706433', '0'])
      for (const scheme of ['http', 'https']) {
        const body = { kind: 'webhook', url: `${scheme}://${host}:${port}/` };
        expect(await admin.post('/api/admin/connections/test', body, checked)).toEqual({
          ok: false,
        });
      }
    expect(found).toBe(0);
  });
});

/** Asks whatever it is told to, without any guard. */
const PROBE = `import { DurableObject } from 'cloudflare:workers';
export class TenantObject extends DurableObject {}
export class RunObject extends DurableObject {}
export default {
  async scheduled() {},
  async fetch(request) {
    const url = new URL(request.url).searchParams.get('url');
    try {
      return new Response(await (await fetch(url)).text());
    } catch {
      return new Response('refused');
    }
  },
};
`;

describe('the network under it', () => {
  const running: { child: ChildProcess; place: Place }[] = [];
  afterAll(async () => {
    for (const { child, place } of running) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await within(20_000, 'the runtime to end', ended);
      removePlace(place);
    }
  });

  /** The runtime that `npm run serve` starts, around a Worker that has no guard. */
  async function probeIn(environment: string): Promise<(url: string) => Promise<string>> {
    const place = await newPlace();
    mkdirSync(join(place.stateDir, 'build'));
    writeFileSync(join(place.stateDir, 'build', 'worker.js'), PROBE);
    writeFileSync(join(place.stateDir, 'secrets.env'), 'KEY_SECRET=not-a-secret-of-anything\n');
    const listening = await freePort();
    const args = [
      ...['--no-warnings', 'scripts/support/runtime.mjs', '--state', place.stateDir],
      ...['--host', '127.0.0.1', '--port', String(listening), '--environment', environment],
    ];
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn('node_modules/.bin/node', args, { env: { PATH, HOME }, stdio: 'ignore' });
    running.push({ child, place });
    const ask = async (url: string) =>
      await (await fetch(`http://127.0.0.1:${listening}/?url=${encodeURIComponent(url)}`)).text();
    await until('the runtime to answer', async () => (await ask('data:,here')) !== '');
    return ask;
  }

  it('lets nothing but public addresses through, also by names that resolve to others', async () => {
    const ask = await probeIn('production');
    const before = found;
    const hosts = ['localhost', hostname(), '127.0.0.1', '0.0.0.0', '[::1]', '[::ffff:7f00:1]'];
    for (const host of hosts) expect(await ask(`http://${host}:${port}/`), host).toBe('refused');
    for (const host of ['10.0.0.1', '100.64.0.1', '169.254.169.254', '192.168.0.1', '[fd00::1]'])
      expect(await ask(`http://${host}/`), host).toBe('refused');
    expect(found).toBe(before);
  });

  it('lets development reach this machine, so the canary would have seen it', async () => {
    const ask = await probeIn('development');
    const before = found;
    for (const host of ['localhost', '127.0.0.1'])
      expect(await ask(`http://${host}:${port}/`), host).toBe('found me');
    expect(found).toBeGreaterThan(before);
  });
});

function inChunks<Item>(list: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );
}
