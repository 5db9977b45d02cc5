/** The way of the README on the started server: from a new tenant to an audit trail that verifies. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { verifyChain } from '../../src/engine/chain.ts';
import { isLike, listenLive } from './support/live.ts';
import { newPlace, type Place, removePlace, type Server, startServer } from './support/server.ts';
import { openSink, type Sink } from './support/sink.ts';
import {
  approve,
  createWorkflow,
  listAudit,
  listEvents,
  newSigningSecret,
  openTenant,
  postEvents,
  runIn,
  type Tenant,
} from './support/tenant.ts';
import { until } from './support/wait.ts';

const order = (id: string, amount: number) => ({
  type: 'order.created',
  data: { order: { id, total: { amount, currency: 'USD' } } },
});
const mailbox = z.object({ items: z.array(z.object({ subject: z.string() })) });
const flags = z.object({ items: z.array(z.object({ key: z.string(), enabled: z.boolean() })) });

let place: Place;
let server: Server;
let sink: Sink;
let tenant: Tenant;

beforeAll(async () => {
  const secret = newSigningSecret();
  place = await newPlace();
  server = await startServer(place);
  sink = await openSink(secret);
  tenant = await openTenant(server, secret);
});
afterAll(async () => {
  await server?.stop();
  await sink?.goDown();
  removePlace(place);
});

describe('a new tenant', () => {
  it('sees a large order become a run and a signed webhook', async () => {
    await createWorkflow(server, tenant, {
      name: 'Large orders',
      trigger: { event: 'order.created', if: 'event.data.order.total.amount > 10000' },
      steps: [
        {
          id: 'tag',
          action: 'tag.order',
          with: { orderId: '{{ event.data.order.id }}', tag: 'large' },
        },
        {
          id: 'tell',
          action: 'notify.webhook',
          with: { url: sink.url, body: { order: '{{ event.data.order.id }}' } },
        },
      ],
    });
    const live = await listenLive(server.origin, tenant.keys.viewer);
    expect(live.protocol).toBe('signalbox.v1');
    const [accepted] = await postEvents(server, tenant, order('1042', 75_000));
    expect(accepted?.runs).toHaveLength(1);
    const run = await runIn(server, tenant, accepted?.runs[0] ?? '', 'succeeded');
    const told = { kind: 'run', id: run.id, status: 'succeeded' };
    await until('the run to be told', () => live.heard.some((one) => isLike(one, told)));
    live.close();
    expect(run.steps.map(({ id, status }) => [id, status])).toEqual([
      ['tag', 'succeeded'],
      ['tell', 'succeeded'],
    ]);
    expect(run.timeline.map(({ seq }) => seq)).toEqual(run.timeline.map((_, index) => index + 1));
    expect(sink.received).toMatchObject([{ verified: true, body: '{"order":"1042"}' }]);
  });

  it('sees why a small order started nothing', async () => {
    const [accepted] = await postEvents(server, tenant, order('1043', 9_999));
    expect(accepted?.runs).toEqual([]);
    const event = await until('the event to be listed', async () =>
      (await listEvents(server, tenant)).find(({ id }) => id === accepted?.id),
    );
    expect(event.matches).toMatchObject([{ matched: false }]);
  });

  it('has a refund wait, an approver approve it, and then the refund done', async () => {
    await createWorkflow(server, tenant, {
      name: 'Refunds',
      trigger: { event: 'custom.refund.requested' },
      steps: [
        {
          id: 'refund',
          action: 'order.refund',
          with: { orderId: '{{ event.data.orderId }}', amount: '{{ event.data.amount }}' },
        },
        {
          id: 'tell',
          action: 'notify.email',
          with: {
            to: 'ops@example.com',
            subject: 'Refund {{ steps.refund.output.refundId }}',
            text: 'Done.',
          },
        },
      ],
    });
    const amount = { amount: 60_000, currency: 'USD' };
    const data = { orderId: '1042', amount };
    const [accepted] = await postEvents(server, tenant, { type: 'custom.refund.requested', data });
    const runId = accepted?.runs[0] ?? '';
    const waiting = await runIn(server, tenant, runId, 'pending_approval');
    const [approval] = waiting.approvals;
    expect(approval).toMatchObject({ status: 'pending', required: 1, stepId: 'refund' });

    const viewer = server.as(tenant.keys.viewer);
    const refused = await viewer.call('POST', '/api/admin/workflow-runs/approve', { runId });
    expect(refused.status).toBe(403);
    const approved = await approve(server, tenant.keys.approver, {
      runId,
      inputHash: approval?.inputHash,
      comment: 'seen the photos',
    });
    expect(approved.approvals).toMatchObject([{ status: 'approved' }]);
    const run = await runIn(server, tenant, runId, 'succeeded');
    expect(run.steps[0]?.output).toMatchObject({ orderId: '1042', refunded: amount });
    const mail = await server.as(tenant.keys.admin).get('/api/admin/mailbox', mailbox);
    expect(mail.items[0]?.subject).toMatch(/^Refund ref_/);
  });

  it('lists it all in the audit trail, in order, in a chain that verifies offline', async () => {
    const entries = await until('the approval to be in the trail', async () => {
      const trail = await listAudit(server, tenant);
      return trail.some(({ action }) => action === 'approval.approved') ? trail : undefined;
    });
    expect(verifyChain(tenant.id, entries)).toMatchObject({ ok: true, entries: entries.length });
    const actions = entries.map(({ action }) => action);
    expect(actions.filter((action) => /^(workflow|approval)/.test(action))).toEqual([
      'workflow.created',
      'workflow.created',
      'approval.requested',
      'approval.approved',
    ]);
    const forged = entries.map((entry, index) =>
      index === 1 ? { ...entry, requestId: 'other' } : entry,
    );
    expect(verifyChain(tenant.id, forged)).toMatchObject({ ok: false, seq: 2 });
  });

  it('logs each request with its id and nothing that is secret', async () => {
    const { headers } = await server.as(tenant.keys.viewer).call('GET', '/api/admin/workflow-runs');
    const requestId = headers.get('x-request-id') ?? 'none';
    await until('the log line of the request', () =>
      server.log().some((line) => line.includes(requestId)),
    );
    const everything = [...server.stdout, ...server.stderr].join('\n');
    for (const key of Object.values(tenant.keys)) expect(everything).not.toContain(key);
  });
});

describe('expressions in the real runtime, which refuses code made from text', () => {
  it('run: conditions, templates, macros, step outputs and skipped steps', async () => {
    await createWorkflow(server, tenant, {
      name: 'Expressions',
      trigger: {
        event: 'custom.smoke',
        if: 'event.data.items.exists(i, i.price * i.count >= 100) && !has(event.data.test)',
      },
      steps: [
        {
          id: 'off',
          action: 'tag.order',
          with: {
            orderId: '{{ event.data.order }}',
            tag: 'n-{{ event.data.items.size() + 1 }}-{{ event.data.vip ? "vip" : "plain" }}',
          },
        },
        {
          id: 'never',
          if: 'steps.off.output.changed == false',
          action: 'tag.order',
          with: { orderId: 'x', tag: 'x' },
        },
        {
          id: 'send',
          needs: ['off'],
          action: 'notify.webhook',
          with: {
            url: `${sink.url}/smoke`,
            body: { tags: '{{ steps.off.output.tags }}', at: '{{ run.id }} of {{ tenant.id }}' },
          },
        },
      ],
    });
    const data = { order: '7', vip: true, items: [{ price: 50, count: 2 }] };
    const [accepted] = await postEvents(server, tenant, { type: 'custom.smoke', data });
    const run = await runIn(server, tenant, accepted?.runs[0] ?? '', 'succeeded');
    expect(run.steps.map(({ status }) => status)).toEqual(['succeeded', 'skipped', 'succeeded']);
    const sent = sink.received.find(({ path }) => path.endsWith('/smoke'));
    expect(JSON.parse(sent?.body ?? '')).toEqual({
      tags: ['n-2-vip'],
      at: `${run.id} of ${tenant.id}`,
    });
  });

  it('are refused when they are wrong, with where and why', async () => {
    const { status, text } = await server
      .as(tenant.keys.admin)
      .call('POST', '/api/admin/workflows/create', {
        name: 'Wrong',
        trigger: { event: 'custom.smoke', if: 'evnt.data > ' },
        steps: [{ id: 'off', action: 'flag.disable', with: { key: '{{ 1 + }}' } }],
      });
    expect(status).toBe(400);
    const paths = z
      .object({ errors: z.array(z.object({ path: z.string() })) })
      .parse(JSON.parse(text))
      .errors.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['trigger.if', 'steps.0.with.key']));
    expect((await server.as(tenant.keys.viewer).get('/api/admin/flags', flags)).items).toEqual([]);
  });
});
