/** Events in, in every mode of the CloudEvents HTTP binding; duplicates; limits; the event log. */
import { beforeAll, describe, expect, test } from 'vitest';
import { isJsonObject, type Json, type JsonObject } from '../../../src/contract/json.ts';
import { at, faultPaths, fieldsOf, listAt, textAt } from '../support/answers.ts';
import { eventually, newKey, newTenant, send, type Tenant } from '../support/api.ts';
import { createWorkflow, customEvent, orderEvent, tagWorkflow } from '../support/samples.ts';

const STRUCTURED = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';
const PLAIN = 'application/json';

let tenant: Tenant;
beforeAll(async () => {
  tenant = await newTenant();
});

async function sendAs(type: string, body: Json, headers: Record<string, string> = {}) {
  const token = await tenant.key('ingest');
  return await send('POST', '/api/events', {
    token,
    body,
    headers: { ...headers, 'content-type': type },
  });
}

/** The event as the log has it: at once, by the id that the answer told. */
async function logged(id: string): Promise<JsonObject> {
  const answer = await tenant.get(`/api/admin/events/get?id=${id}`);
  expect(answer.status, answer.text).toBe(200);
  const event = at(answer, 'event');
  if (!isJsonObject(event)) throw new Error('no event');
  return event;
}

describe('modes', () => {
  const event = { specversion: '1.0', id: 'e-1', source: '/shop', ...customEvent({ n: 1 }) };

  test('structured, batched, and plain JSON as an object or an array', async () => {
    for (const [type, body, count] of [
      [STRUCTURED, { ...event, id: 'structured' }, 1],
      [`${STRUCTURED}; charset=utf-8`, { ...event, id: 'with-charset' }, 1],
      [
        BATCH,
        [
          { ...event, id: 'batch-1' },
          { ...event, id: 'batch-2' },
        ],
        2,
      ],
      [PLAIN, customEvent(), 1],
      [PLAIN, [customEvent(), customEvent()], 2],
    ] as const) {
      const answer = await sendAs(type, body);
      expect(answer.status, answer.text).toBe(202);
      expect(listAt(answer, 'events')).toHaveLength(count);
    }
  });

  test('binary: attributes in headers, percent-encoded where a header cannot hold them', async () => {
    const answer = await sendAs(
      PLAIN,
      { n: 2 },
      {
        'ce-specversion': '1.0',
        'ce-id': 'binary-1',
        'ce-source': '/shop',
        'ce-type': 'custom.thing',
        'ce-subject': 'caf%C3%A9',
        'ce-time': '2026-02-03T04:05:06+01:00',
        'ce-correlationid': 'corr-7',
      },
    );
    expect(answer.status, answer.text).toBe(202);
    expect(at(answer, 'events.0.eventId')).toBe('binary-1');
    expect(await logged(textAt(answer, 'events.0.id'))).toMatchObject({
      source: '/shop',
      type: 'custom.thing',
      subject: 'café',
      time: '2026-02-03T03:05:06.000Z',
      correlationId: 'corr-7',
      data: { n: 2 },
    });
  });

  test.each([
    ['a batch that is an object', BATCH, event],
    ['a structured event that is an array', STRUCTURED, [event]],
    ['an empty batch', BATCH, []],
    ['a structured event without specversion', STRUCTURED, customEvent()],
    ['a batch without specversion', BATCH, [customEvent()]],
    ['another specversion', PLAIN, customEvent({}, { specversion: '0.3' })],
    ['an array in an array', PLAIN, [[customEvent()]]],
  ])('%s is refused', async (_what, type, body) => {
    expect((await sendAs(type, body)).body.code).toBe('validation_failed');
  });
});

describe('attributes', () => {
  test('id, source, time and correlation are made when they are left out', async () => {
    const headers = { 'x-request-id': 'request-1' };
    const answer = await sendAs(PLAIN, customEvent(), headers);
    const event = await logged(textAt(answer, 'events.0.id'));
    expect(event).toMatchObject({
      source: 'api',
      requestId: 'request-1',
      correlationId: 'request-1',
    });
    expect(event.eventId).toBe(at(answer, 'events.0.eventId'));
    expect(event.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test('without an id nothing is deduplicated', async () => {
    const ids = [await sendAs(PLAIN, customEvent()), await sendAs(PLAIN, customEvent())].map(
      (answer) => textAt(answer, 'events.0.eventId'),
    );
    expect(new Set(ids).size).toBe(2);
  });

  test('extension attributes are kept with the event and conditions see them', async () => {
    const other = await newTenant();
    const trigger = {
      event: 'custom.thing',
      if: `event.shopid == 'berlin' && event.priority == 3`,
    };
    const steps = [
      { id: 'a', action: 'tag.order', with: { orderId: '1', tag: '{{ event.shopid }}' } },
    ];
    await createWorkflow(other, tagWorkflow({ trigger, steps }));
    const hit = await other.events(
      customEvent({}, { shopid: 'berlin', priority: 3, urgent: true }),
    );
    expect(listAt(hit, 'events.0.runs')).toHaveLength(1);
    const miss = await other.events(customEvent({}, { shopid: 'paris', priority: 3 }));
    expect(listAt(miss, 'events.0.runs')).toHaveLength(0);
  });

  test.each([
    ['an upper-case extension', { shopId: 'x' }, 'shopId'],
    ['an extension with an underscore', { shop_id: 'x' }, 'shop_id'],
    ['an extension that is an object', { shop: {} }, 'shop'],
    ['an extension that is a fraction', { share: 0.5 }, 'share'],
    ['a type that is not known', { type: 'order.exploded' }, 'type'],
    ['a custom type without a name', { type: 'custom.' }, 'type'],
    ['a time that is none', { time: 'yesterday' }, 'time'],
    ['a day that is not in the calendar', { time: '2026-02-30T00:00:00Z' }, 'time'],
    ['a source with a space', { source: 'my shop' }, 'source'],
    ['an empty id', { id: '' }, 'id'],
    ['a number for an id', { id: 7 }, 'id'],
    ['custom data that is no object', { data: 'text' }, 'data'],
    ['data that is not JSON', { datacontenttype: 'application/xml' }, 'datacontenttype'],
  ])('%s is refused at its path', async (_what, more, path) => {
    const answer = await sendAs(PLAIN, { ...customEvent(), ...more });
    expect(answer.status).toBe(400);
    expect(faultPaths(answer)).toContain(path);
  });

  test('data is held against the schema of its type, and more fields of it are kept', async () => {
    const bad = await sendAs(PLAIN, {
      type: 'order.created',
      data: { order: { id: 5, total: {} } },
    });
    expect(faultPaths(bad)).toEqual(
      expect.arrayContaining([
        'data.order.id',
        'data.order.total.amount',
        'data.order.total.currency',
      ]),
    );
    const order = { id: '9007199254740993123', total: { amount: 1, currency: 'JPY' }, gift: true };
    const good = await sendAs(PLAIN, { type: 'order.created', data: { order, shop: 1 } });
    const event = await logged(textAt(good, 'events.0.id'));
    expect(event.data).toEqual({ order, shop: 1 });
  });
});

describe('all or none', () => {
  test('one wrong event and none of the request is taken; its index is in the path', async () => {
    const other = await newTenant();
    const wrong = { type: 'order.created', data: {} };
    const answer = await other.events([
      orderEvent('1'),
      wrong,
      orderEvent('3'),
      { type: 'no.such' },
    ]);
    expect(answer.status).toBe(400);
    expect(faultPaths(answer)).toContain('1.data.order');
    expect(faultPaths(answer)).toContain('3.type');
    await other.events(customEvent({}, { id: 'after' }));
    const list = await eventually(
      () => other.get('/api/admin/events'),
      (page) => expect(fieldsOf(page, 'eventId')).toContain('after'),
    );
    expect(listAt(list)).toHaveLength(1);
  });

  test('a request takes 1,000 events and no more', async () => {
    const many = (count: number) => Array.from({ length: count }, () => customEvent());
    const full = await tenant.events(many(1_000));
    expect(full.status).toBe(202);
    expect(listAt(full, 'events')).toHaveLength(1_000);
    expect((await tenant.events(many(1_001))).status).toBe(413);
  });

  test('an event takes 256 KiB and no more, wherever it stands', async () => {
    const envelope = JSON.stringify(customEvent({ text: '' })).length;
    const sized = (bytes: number) => customEvent({ text: 'a'.repeat(bytes - envelope) });
    expect((await tenant.events(sized(262_144))).status).toBe(202);
    expect((await tenant.events(sized(262_145))).status).toBe(413);
    const last = await tenant.events([customEvent(), sized(262_145)]);
    expect(last.status).toBe(413);
    expect(faultPaths(last)).toEqual(['1']);
  });
});

describe('duplicates', () => {
  test('the same source and id answer as the first time, also within one request', async () => {
    const other = await newTenant();
    await createWorkflow(other, tagWorkflow());
    const event = orderEvent('1', { id: 'dup', source: '/shop' });
    const first = await other.events([event, event]);
    expect(at(first, 'events.0.duplicate')).toBe(false);
    expect(at(first, 'events.1.duplicate')).toBe(true);
    const again = await other.events(event);
    expect(at(again, 'events.0.duplicate')).toBe(true);
    for (const field of ['id', 'eventId', 'runs']) {
      expect(at(first, `events.1.${field}`)).toEqual(at(first, `events.0.${field}`));
      expect(at(again, `events.0.${field}`)).toEqual(at(first, `events.0.${field}`));
    }
    const elsewhere = await other.events({ ...event, source: '/other' });
    expect(at(elsewhere, 'events.0.duplicate')).toBe(false);
  });

  test('of fifty at once one is taken, and all answer its run', async () => {
    const other = await newTenant();
    await createWorkflow(other, tagWorkflow());
    await other.key('ingest');
    const event = orderEvent('1', { id: 'at-once' });
    const answers = await Promise.all(Array.from({ length: 50 }, () => other.events(event)));
    const fresh = answers.filter((answer) => at(answer, 'events.0.duplicate') === false);
    expect(fresh).toHaveLength(1);
    const runs = new Set(answers.map((answer) => textAt(answer, 'events.0.runs.0')));
    expect(runs.size).toBe(1);
    const [run = ''] = runs;
    await eventually(
      () => other.get('/api/admin/workflow-runs'),
      (page) => expect(fieldsOf(page, 'id')).toEqual([run]),
    );
  });

  test('the same id in another tenant is another event', async () => {
    const event = customEvent({}, { id: 'shared' });
    for (const other of [await newTenant(), await newTenant()])
      expect(at(await other.events(event), 'events.0.duplicate')).toBe(false);
  });
});

describe('whoever may send none', () => {
  /** What is wrong with a body is not for them to know. */
  const BODIES = [customEvent(), { type: 'no such type' }];

  test('by a key that was revoked just now stores nothing, and learns nothing', async () => {
    const other = await newTenant();
    const admin = await other.key('admin');
    for (const body of BODIES) {
      const key = await newKey(admin, 'ingest');
      await other.post('/api/admin/api-keys/revoke', { id: key.id });
      const refused = await send('POST', '/api/events', { token: key.secret, body });
      expect(refused.status).toBe(401);
      expect(refused.body.detail).toBe('The API key is wrong or revoked.');
    }
    expect(await typesOf(other)).toEqual([]);
  });

  test('for want of the role stores nothing but that it was tried, and learns nothing', async () => {
    const other = await newTenant();
    const token = await other.key('approver');
    for (const body of BODIES) {
      const refused = await send('POST', '/api/events', { token, body });
      expect(refused.status).toBe(403);
      expect(refused.body.detail).toBe('This takes the role ingest; the key has approver.');
      expect(refused.body).not.toHaveProperty('denied');
    }
    await eventually(
      () => other.get('/api/admin/events'),
      (page) => expect(fieldsOf(page, 'type')).toEqual(['authz.denied', 'authz.denied']),
    );
  });

  /** Of what is in the event log once an event that came last is. */
  async function typesOf(other: Tenant): Promise<Json[]> {
    const last = textAt(await other.events(customEvent({}, { id: 'last' })), 'events.0.id');
    const page = await eventually(
      () => other.get('/api/admin/events'),
      (answer) => expect(fieldsOf(answer, 'id')).toContain(last),
    );
    return fieldsOf(page, 'type').slice(1);
  }
});
