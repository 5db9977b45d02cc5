/** The event log: filters, why a workflow started or did not, and the denials that become events. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../../../src/contract/json.ts';
import { at, faultPaths, fieldsOf, listAt, textAt } from '../support/answers.ts';
import { eventually, newTenant, type Tenant } from '../support/api.ts';
import { openAddress } from '../support/real-receiver.ts';
import { createWorkflow, customEvent, orderEvent, tagWorkflow } from '../support/samples.ts';

describe('the list', () => {
  let tenant: Tenant;
  beforeAll(async () => {
    tenant = await newTenant();
    await tenant.events([
      orderEvent('1', { id: 'one', source: '/shop', correlationid: 'c1' }),
      customEvent({}, { id: 'two', source: '/shop', correlationid: 'c2' }),
      customEvent({}, { id: 'three', source: '/till', correlationid: 'c1' }),
    ]);
    await eventually(
      () => tenant.get('/api/admin/events'),
      (page) => expect(listAt(page)).toHaveLength(3),
    );
  });

  test.each([
    ['', ['three', 'two', 'one']],
    ['type=custom.thing', ['three', 'two']],
    ['source=/shop', ['two', 'one']],
    ['correlationId=c1', ['three', 'one']],
    ['type=custom.thing&source=/shop', ['two']],
    ['from=2000-01-01T00:00:00Z', ['three', 'two', 'one']],
    ['from=2999-01-01T00:00:00%2B02:00', []],
    ['to=2000-01-01T00:00:00Z', []],
    ['to=1900-01-01T00:00:00Z', []],
    ['from=1900-01-01T00:00:00Z', ['three', 'two', 'one']],
    ['limit=2', ['three', 'two']],
  ])('?%s', async (query, ids) => {
    expect(fieldsOf(await tenant.get(`/api/admin/events?${query}`), 'eventId')).toEqual(ids);
  });

  test('from is included and to is not', async () => {
    const page = await tenant.get('/api/admin/events?limit=1');
    const at0 = textAt(page, 'items.0.receivedAt');
    const from = await tenant.get(`/api/admin/events?from=${at0}`);
    expect(fieldsOf(from, 'eventId')).toContain('three');
    const to = await tenant.get(`/api/admin/events?to=${at0}`);
    expect(fieldsOf(to, 'eventId')).not.toContain('three');
  });

  test('a time that is none is refused', async () => {
    const answer = await tenant.get('/api/admin/events?from=yesterday&to=2026-13-01T00:00:00Z');
    expect(faultPaths(answer)).toEqual(['query.from', 'query.to']);
  });
});

describe('one event', () => {
  test.each([
    ['while its run waits for its destination', {}, 'queued'],
    ['while its run waits for a human', { approval: { approvals: 1 } }, 'pending_approval'],
  ])('is found at once by the id that its answer told, %s', async (_, more, status) => {
    const tenant = await newTenant();
    const { url, react } = await openAddress([{ kind: 'held' }]);
    const steps = [{ id: 'send', action: 'notify.webhook', with: { url, body: {} }, ...more }];
    await createWorkflow(tenant, tagWorkflow({ steps }));
    const sent = await tenant.events(orderEvent('8'));
    const found = await tenant.get(`/api/admin/events/get?id=${textAt(sent, 'events.0.id')}`);
    expect(at(found, 'event.runs'), found.text).toEqual(at(sent, 'events.0.runs'));
    const runId = textAt(sent, 'events.0.runs.0');
    expect(at(await tenant.get(`/api/admin/workflow-runs/get?id=${runId}`), 'run.status')).toBe(
      status,
    );
    await react({ replies: [{ kind: 'answer', status: 200 }] });
  });
});

describe('matches', () => {
  test('say why each enabled workflow of the type did or did not start', async () => {
    const tenant = await newTenant();
    const when = (condition: string) =>
      createWorkflow(tenant, tagWorkflow({ trigger: { event: 'order.created', if: condition } }));
    const yes = await when('event.data.order.total.amount > 100');
    const no = await when('event.data.order.total.amount > 1000000');
    const broken = await when('event.data.order.missing > 1');
    const sent = await tenant.events(orderEvent());
    const event = await eventually(
      () => tenant.get(`/api/admin/events/get?id=${textAt(sent, 'events.0.id')}`),
      ({ status }) => expect(status).toBe(200),
    );
    const matches = listAt(event, 'event.matches');
    const matchOf = (id: string): Json =>
      matches.find((match) => at({ body: { match } }, 'match.workflowId') === id) ?? null;
    expect(matchOf(yes)).toMatchObject({ matched: true, version: 1 });
    expect(matchOf(no)).toMatchObject({ matched: false });
    expect(matchOf(broken)).toMatchObject({
      matched: false,
      reason: expect.stringMatching(/missing/),
    });
    expect(listAt(event, 'event.runs')).toEqual(at(sent, 'events.0.runs'));
    expect(listAt(event, 'event.runs')).toHaveLength(1);
  });
});

describe('a role that is too low', () => {
  test('becomes an authz.denied event that a workflow can start from', async () => {
    const tenant = await newTenant();
    const trigger = { event: 'authz.denied', if: `event.data.action.contains('approve')` };
    const steps = [{ id: 'wait', wait: '1h' }];
    await createWorkflow(tenant, tagWorkflow({ trigger, steps }));
    const body = { runId: 'run_1' };
    const denied = await tenant.post('/api/admin/workflow-runs/approve', body, { role: 'viewer' });
    expect(denied.status).toBe(403);
    const page = await eventually(
      () => tenant.get('/api/admin/events?type=authz.denied'),
      (answer) => expect(listAt(answer)).toHaveLength(1),
    );
    expect(at(page, 'items.0.data.action')).toBe('POST /api/admin/workflow-runs/approve');
    expect(at(page, 'items.0.requestId')).toBe(denied.headers.get('x-request-id'));
    expect(listAt(page, 'items.0.runs')).toHaveLength(1);
  });
});
