/** Workflows over the API: writing, versions, switching, lists and pages, faults at save time. */
import { beforeAll, describe, expect, test } from 'vitest';
import * as all from '../../../src/actions/all.ts';
import { EVENT_TYPES } from '../../../src/contract/events.ts';
import type { Json } from '../../../src/contract/json.ts';
import { at, faultPaths, fieldsOf, listAt, textAt } from '../support/answers.ts';
import { newTenant, type Tenant } from '../support/api.ts';
import { createWorkflow, flagWorkflow, orderEvent, tagWorkflow } from '../support/samples.ts';

const CREATE = '/api/admin/workflows/create';
const UPDATE = '/api/admin/workflows/update';

let tenant: Tenant;
beforeAll(async () => {
  tenant = await newTenant();
});

async function get(id: string, version = '') {
  return await tenant.get(`/api/admin/workflows/get?id=${id}${version}`);
}

describe('creating', () => {
  test('answers the workflow as it was sent, and the next read shows the same', async () => {
    const { enabled: _enabled, ...definition } = tagWorkflow({ description: 'For the warehouse' });
    const made = await tenant.post(CREATE, definition);
    expect(made.status).toBe(201);
    expect(made.body.workflow).toMatchObject({ ...definition, enabled: false, version: 1 });
    expect(at(made, 'workflow.createdBy.type')).toBe('api_key');
    const read = await get(textAt(made, 'workflow.id'));
    expect(read.body.workflow).toEqual(made.body.workflow);
  });

  test('leaves a workflow disabled unless it is asked for, so that events start nothing', async () => {
    const other = await newTenant();
    await createWorkflow(other, { ...tagWorkflow(), enabled: false });
    expect(at(await other.events(orderEvent()), 'events.0.runs')).toEqual([]);
  });

  test('names are trimmed and must not be empty', async () => {
    const made = await tenant.post(CREATE, tagWorkflow({ name: '  Name  ' }));
    expect(at(made, 'workflow.name')).toBe('Name');
    const empty = await tenant.post(CREATE, tagWorkflow({ name: '   ' }));
    expect(faultPaths(empty)).toEqual(['name']);
  });
});

describe('faults at save time', () => {
  test('faults of shape and of meaning come at once', async () => {
    const refused = await tenant.post(CREATE, {
      name: 'Faulty',
      trigger: { event: 'order.created', if: 'evnt.data.n > 1' },
      steps: [
        { id: 'pause', wait: '1y' },
        { id: 'tag', action: 'tag.ordr' },
        { id: 'off', needs: ['nowhere'], action: 'flag.disable', with: {} },
      ],
    });
    expect(refused.status).toBe(400);
    expect(faultPaths(refused).toSorted()).toEqual([
      'steps.0.wait',
      'steps.1.action',
      'steps.2.needs.0',
      'steps.2.with.key',
      'trigger.if',
    ]);
  });

  const step = (more: Json) => ({
    id: 'a',
    action: 'tag.order',
    with: { orderId: '1', tag: 'x' },
    ...(typeof more === 'object' ? more : {}),
  });

  test('all of a definition come at once, each with its path', async () => {
    const answer = await tenant.post(CREATE, {
      name: 'Everything wrong',
      trigger: { event: 'order.created', if: 'event.data.order.total.amount >' },
      steps: [
        step({ if: 'nothing.here == 1' }),
        step({ with: { orderId: '{{ event.data. }}', tag: 7, more: 1 } }),
        { id: 'b', action: 'order.explode', with: {} },
        { id: 'c', action: 'notify.webhook', with: { url: 'http://10.0.0.1/x' } },
        { id: 'd', action: 'flag.enable', with: { key: 'k' }, needs: ['ghost'] },
      ],
    });
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('validation_failed');
    const paths = new Set(faultPaths(answer));
    for (const path of [
      'trigger.if',
      'steps.0.if',
      'steps.1.id',
      'steps.1.with.orderId',
      'steps.1.with.tag',
      'steps.1.with.more',
      'steps.2.action',
      'steps.3.with.url',
      'steps.4.needs.0',
    ])
      expect(paths, answer.text).toContain(path);
  });

  test('steps that wait for each other are each told so', async () => {
    const steps = [
      { id: 'a', wait: '1h', needs: ['c'] },
      { id: 'b', wait: '1h', needs: ['a'] },
      { id: 'c', wait: '1h', needs: ['b'] },
      { id: 'd', wait: '1h', needs: [] },
    ];
    const answer = await tenant.post(CREATE, tagWorkflow({ steps }));
    expect(faultPaths(answer)).toEqual(['steps.0.needs', 'steps.1.needs', 'steps.2.needs']);
  });

  test('an expression that does not parse is told with its position', async () => {
    const trigger = { event: 'order.created', if: 'event.type == ' };
    const answer = await tenant.post(CREATE, tagWorkflow({ trigger }));
    expect(faultPaths(answer)).toEqual(['trigger.if']);
    expect(textAt(answer, 'errors.0.message')).toMatch(/\d/);
  });

  test.each([
    ['no step', { steps: [] }, 'steps'],
    [
      '51 steps',
      { steps: Array.from({ length: 51 }, (_, n) => ({ id: `s${n}`, wait: '1s' })) },
      'steps',
    ],
    ['an unknown event type', { trigger: { event: 'order.exploded' } }, 'trigger.event'],
    ['a step with an unknown field', { steps: [step({ unless: 'x' })] }, 'steps.0.unless'],
    ['a wait that is no duration', { steps: [{ id: 'a', wait: 'soon' }] }, 'steps.0.wait'],
    ['a step id with a hyphen', { steps: [step({ id: 'a-b' })] }, 'steps.0.id'],
    [
      'more attempts than there may be',
      { steps: [step({ retry: { attempts: 21 } })] },
      'steps.0.retry.attempts',
    ],
    ['a timeout above a minute', { steps: [step({ timeout: '2m' })] }, 'steps.0.timeout'],
    [
      'approval by a viewer',
      { steps: [step({ approval: { roles: ['viewer'] } })] },
      'steps.0.approval.roles.0',
    ],
  ])('%s is refused where it stands', async (_what, more, path) => {
    const answer = await tenant.post(CREATE, tagWorkflow(more));
    expect(answer.status).toBe(400);
    expect(faultPaths(answer)).toContain(path);
  });

  test('a definition that was refused leaves nothing behind', async () => {
    const other = await newTenant();
    await other.post(CREATE, tagWorkflow({ steps: [step({ action: 'no.such' })] }));
    expect(listAt(await other.get('/api/admin/workflows'))).toEqual([]);
  });
});

describe('updating', () => {
  test('makes a new version and keeps the old one as it was', async () => {
    const { enabled: _enabled, ...first } = tagWorkflow();
    const id = await createWorkflow(tenant, first);
    const { enabled: _too, ...second } = flagWorkflow({ trigger: { event: 'order.refunded' } });
    const updated = await tenant.post(UPDATE, { id, version: 1, ...second });
    expect(updated.body.workflow).toMatchObject({ ...second, id, version: 2, enabled: false });
    expect((await get(id)).body.workflow).toEqual(updated.body.workflow);
    expect((await get(id, '&version=1')).body.workflow).toMatchObject({ ...first, version: 1 });
    expect((await get(id, '&version=3')).status).toBe(404);
  });

  test('from a version that is no longer current is refused, and of two at once one wins', async () => {
    const { enabled: _enabled, ...definition } = tagWorkflow();
    const id = await createWorkflow(tenant, definition);
    const write = (name: string) => tenant.post(UPDATE, { id, version: 1, ...definition, name });
    const answers = await Promise.all(['One', 'Two', 'Three'].map(write));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
    const refused = answers.find(({ status }) => status === 409);
    expect(refused?.body.code).toBe('version_conflict');
    expect(at(await get(id), 'workflow.version')).toBe(2);
  });
});

describe('switching', () => {
  test('twice in a row is fine, shows at once, and is one entry of the audit trail', async () => {
    const id = await createWorkflow(tenant, { ...tagWorkflow(), enabled: false });
    for (const [verb, enabled] of [
      ['enable', true],
      ['enable', true],
      ['disable', false],
      ['disable', false],
    ] as const) {
      const switched = await tenant.post(`/api/admin/workflows/${verb}`, { id });
      expect(switched.status).toBe(200);
      expect(at(switched, 'workflow.enabled')).toBe(enabled);
      expect(at(await get(id), 'workflow.enabled')).toBe(enabled);
    }
    const trail = await tenant.get(`/api/admin/audit?target=${id}`);
    expect(fieldsOf(trail, 'action')).toEqual([
      'workflow.disabled',
      'workflow.enabled',
      'workflow.created',
    ]);
  });

  test('takes effect with the next event', async () => {
    const other = await newTenant();
    const id = await createWorkflow(other, tagWorkflow());
    expect(listAt(await other.events(orderEvent('1')), 'events.0.runs')).toHaveLength(1);
    await other.post('/api/admin/workflows/disable', { id });
    expect(listAt(await other.events(orderEvent('2')), 'events.0.runs')).toHaveLength(0);
    await other.post('/api/admin/workflows/enable', { id });
    expect(listAt(await other.events(orderEvent('3')), 'events.0.runs')).toHaveLength(1);
  });
});

describe('lists', () => {
  test('filter by state and by event, newest first, without definitions', async () => {
    const other = await newTenant();
    const trigger = { event: 'order.refunded' };
    const first = await createWorkflow(other, tagWorkflow());
    const second = await createWorkflow(other, { ...tagWorkflow({ trigger }), enabled: false });
    const third = await createWorkflow(other, tagWorkflow({ trigger }));
    const ids = async (query: string) =>
      fieldsOf(await other.get(`/api/admin/workflows?${query}`), 'id');
    expect(await ids('')).toEqual([third, second, first]);
    expect(await ids('enabled=true')).toEqual([third, first]);
    expect(await ids('enabled=false')).toEqual([second]);
    expect(await ids('event=order.refunded')).toEqual([third, second]);
    expect(await ids('event=order.refunded&enabled=true')).toEqual([third]);
    expect(await ids('event=custom.none')).toEqual([]);
    const faulty = await other.get('/api/admin/workflows?enabled=yes');
    expect(faultPaths(faulty)).toEqual(['query.enabled']);
  });

  test('pages hold every row once while more are being added', async () => {
    const other = await newTenant();
    const before: string[] = [];
    for (let n = 0; n < 7; n += 1) before.unshift(await createWorkflow(other, tagWorkflow()));
    const seen: Json[] = [];
    let cursor = '';
    do {
      const page = await other.get(`/api/admin/workflows?limit=3${cursor}`);
      seen.push(...fieldsOf(page, 'id'));
      const next = at(page, 'nextCursor');
      cursor = typeof next === 'string' ? `&cursor=${next}` : '';
      await createWorkflow(other, tagWorkflow());
    } while (cursor !== '');
    expect(seen).toEqual(before);
  });

  test('a cursor of another list is refused', async () => {
    const other = await newTenant();
    for (let n = 0; n < 2; n += 1) await createWorkflow(other, tagWorkflow());
    const page = await other.get('/api/admin/workflows?limit=1');
    const cursor = textAt(page, 'nextCursor');
    const wrong = await other.get(`/api/admin/audit?cursor=${cursor}`);
    expect(wrong.status).toBe(400);
    expect(wrong.body.code).toBe('invalid_cursor');
  });
});

describe('the catalog', () => {
  test('has a JSON Schema for each event type and each action', async () => {
    const { body } = await tenant.get('/api/admin/catalog');
    const events = fieldsOf({ body: { items: body.events ?? null }, text: '' }, 'type');
    expect(events).toEqual(EVENT_TYPES);
    const actions = listAt({ body, text: '' }, 'actions');
    expect(actions).toHaveLength(Object.keys(all).length);
    for (const action of actions)
      expect(at({ body: { action } }, 'action.schema.type')).toBe('object');
    expect(actions).toContainEqual(
      expect.objectContaining({ name: 'order.refund', risk: 'commerce' }),
    );
  });
});
