/**
 * docs/adding-an-action.md, word for word: its code is written into a copy of the product, compiled and
 * started, and what the page says then has to happen.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { approvalItem, type Run } from '../../src/contract/runs.ts';
import { blocksOf, copyProduct, runTool, writeBlock } from './support/page.ts';
import { newPlace, type Place, removePlace, type Server, startServer } from './support/server.ts';
import {
  approve,
  listEvents,
  newSigningSecret,
  openTenant,
  postEvents,
  readRun,
  runIn,
  type Tenant,
} from './support/tenant.ts';
import { until } from './support/wait.ts';

const blocks = blocksOf('adding-an-action.md');
const code = blocks.filter(({ language }) => language === 'ts');
const [workflow = {}, event = {}]: object[] = blocks
  .filter(({ language }) => language === 'json')
  .map(({ text }) => JSON.parse(text));
const timeline = blocks
  .find(({ language }) => language === 'text')
  ?.text.trim()
  .split('\n');

let copy: string;
let newFiles: string[];
let place: Place;
let server: Server;
let tenant: Tenant;
beforeAll(async () => {
  copy = copyProduct();
  newFiles = code.flatMap((block) => writeBlock(copy, block) ?? []);
  place = await newPlace();
});
afterAll(async () => {
  await server?.stop();
  removePlace(place);
  rmSync(copy, { recursive: true, force: true });
});

/** Entries as the page writes them: what happened, to which step, and the number of an attempt. */
function told({ timeline: entries }: Run): string[] {
  return entries.map((entry) =>
    [
      entry.type,
      ...('stepId' in entry ? [entry.stepId] : []),
      ...('attempt' in entry ? [entry.attempt] : []),
      ...('error' in entry ? [entry.error.code] : []),
    ].join(' '),
  );
}

async function startRun(): Promise<string> {
  const [accepted] = await postEvents(server, tenant, event);
  return accepted?.runs[0] ?? '';
}

describe('what the page adds', () => {
  it('compiles, in the style of the house, with a migration that is generated', () => {
    runTool(copy, 'drizzle-kit/bin.cjs', ['generate', '--name', 'holds']);
    runTool(copy, 'typescript/bin/tsc', ['-p', 'tsconfig.json']);
    runTool(copy, '@biomejs/biome/bin/biome', ['check', ...newFiles]);
  });

  it('is in the catalog and in the policy, and is checked when a workflow is saved', async () => {
    server = await startServer(
      place,
      ['--no-demo'],
      [process.execPath, join(copy, 'scripts', 'start.mjs')],
    );
    tenant = await openTenant(server, newSigningSecret());
    const viewer = server.as(tenant.keys.viewer);
    const catalog = z.object({ actions: z.array(z.looseObject({ name: z.string() })) });
    const { actions } = await viewer.get('/api/admin/catalog', catalog);
    expect(actions.find(({ name }) => name === 'order.hold')).toMatchObject({
      summary: 'Hold an order back from shipping',
      risk: 'commerce',
      schema: { required: ['orderId'], additionalProperties: false },
    });
    const policy = z.object({ actions: z.record(z.string(), z.looseObject({})) });
    expect(
      (await viewer.get('/api/admin/approval-policy', policy)).actions['order.hold'],
    ).toMatchObject({ required: true, approvals: 1, roles: ['approver'], expiresIn: '72h' });
    const create = (body: object) =>
      server.as(tenant.keys.admin).call('POST', '/api/admin/workflows/create', body);
    const wrong = await create(JSON.parse(JSON.stringify(workflow).replace('orderId', 'orderID')));
    expect(wrong.status).toBe(400);
    expect(wrong.text).toContain('steps.0.with.orderId');
    expect((await create(workflow)).status).toBe(201);
    const ann = { name: 'Ann', email: 'ann@example.com', role: 'approver' };
    await server.as(tenant.keys.admin).post('/api/admin/members/create', ann, z.unknown());
  });
});

describe('a run of it', () => {
  it('waits for a human, fails, is tried again under its key, and causes its event', async () => {
    const runId = await startRun();
    await runIn(server, tenant, runId, 'pending_approval');
    const approver = server.as(tenant.keys.approver);
    const asked = await approver.get(
      '/api/admin/approvals?mine=true',
      z.object({ items: z.array(approvalItem) }),
    );
    expect(asked.items).toMatchObject([{ action: 'order.hold', input: { orderId: '1001' } }]);
    const { admin } = tenant.keys;
    await until('the mail to the approvers', async () =>
      (await server.as(admin).call('GET', '/api/admin/mailbox')).text.includes(
        'Hold order 1001 back from shipping',
      ),
    );
    await approve(server, tenant.keys.approver, { runId });
    await until('the first attempt to fail', async () =>
      told(await readRun(server, tenant, runId)).includes('attempt_failed hold 1 order_not_found'),
    );
    const total = { amount: 9_900, currency: 'USD' };
    await postEvents(server, tenant, {
      type: 'order.created',
      data: { order: { id: '1001', total } },
    });
    const run = await runIn(server, tenant, runId, 'succeeded');
    expect(told(run)).toEqual(timeline);
    expect(run.steps).toMatchObject([
      { attempts: 2, output: { orderId: '1001', held: true, changed: true } },
    ]);
    const keys = run.timeline.flatMap((entry) =>
      entry.type === 'attempt_started' ? [entry.idempotencyKey] : [],
    );
    expect(keys).toEqual([`${runId}_hold`, `${runId}_hold`]);
    const events = await listEvents(server, tenant, 'type=custom.order.held');
    expect(events).toMatchObject([
      { eventId: `${runId}_hold`, data: { order: { id: '1001' } }, source: `/runs/${runId}` },
    ]);
  });

  it('for an order that is held changes nothing and causes nothing', async () => {
    const runId = await startRun();
    await runIn(server, tenant, runId, 'pending_approval');
    await approve(server, tenant.keys.approver, { runId });
    const run = await runIn(server, tenant, runId, 'succeeded');
    expect(run.steps).toMatchObject([{ output: { held: true, changed: false } }]);
    expect(await listEvents(server, tenant, 'type=custom.order.held')).toHaveLength(1);
  });
});
