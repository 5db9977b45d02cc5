/**
 * Flags at an Unleash that speaks its protocol, and misbehaves. With UNLEASH_URL and UNLEASH_TOKEN (an
 * admin token) the part that needs no misbehaviour asks a real one as well: docs/adapters.md.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Outcome } from '../../src/engine/plan.ts';
import type { FlagLedger } from '../../src/ports/flag-changes.ts';
import { unleashFlags } from '../../src/ports/flags-unleash.ts';
import type { PortCall } from '../../src/ports/index.ts';
import {
  openUnleash,
  type StandInUnleash,
  UNLEASH_CLIENT_TOKEN,
  UNLEASH_TOKEN,
  UNLEASH_VIEWER_TOKEN,
} from '../fixtures/vendors/unleash.ts';
import type { Fault, VendorRequest } from '../fixtures/vendors/vendor-server.ts';

let unleash: StandInUnleash;
beforeAll(async () => {
  unleash = await openUnleash();
});
afterAll(() => unleash.close());

let calls = 0;
function callOf(timeoutMs = 5_000): PortCall {
  const idempotencyKey = `run_${++calls}_set`;
  return { tenantId: 't', runId: `run_${calls}`, idempotencyKey, timeoutMs, now: 0 };
}

/** The ledger without a database; the real one is tested where D1 is. */
function memoryLedger(): FlagLedger {
  const rows = new Map<string, 'begun' | 'applied'>();
  const idOf = ({ idempotencyKey }: PortCall, key: string) => `${idempotencyKey} ${key}`;
  return {
    progress: async (call, key) => rows.get(idOf(call, key)) ?? null,
    begin: async (call, { key }) => void rows.set(idOf(call, key), 'begun'),
    finish: async (call, key) => void rows.set(idOf(call, key), 'applied'),
  };
}

interface Place {
  readonly url: string;
  readonly apiToken: string;
}

function flagsAt(place: Place, more: { project?: string; environment?: string } = {}) {
  const where = { project: 'default', environment: 'development', ...place, ...more };
  return unleashFlags(where, { fetch, ledger: memoryLedger() });
}

/** Asks the Admin API itself, as an operator would. */
async function ask(place: Place, method: string, path: string, body?: object): Promise<Response> {
  return await fetch(`${place.url}/api/admin/projects/default/features${path}`, {
    method,
    headers: { authorization: place.apiToken, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function newFeature(place: Place): Promise<string> {
  const name = `signalbox.${randomUUID()}`;
  expect((await ask(place, 'POST', '', { name })).status).toBe(201);
  return name;
}

async function isOn(place: Place, name: string, environment = 'development'): Promise<boolean> {
  const answer = await ask(place, 'GET', `/${name}/environments/${environment}`);
  return z.object({ enabled: z.boolean() }).parse(await answer.json()).enabled;
}

const changed = (key: string, enabled: boolean, call: PortCall): Outcome => ({
  kind: 'succeeded',
  output: { key, enabled, previous: !enabled, changed: true },
  events: [
    {
      id: call.idempotencyKey,
      type: 'flags.changed',
      data: { flag: { key, enabled }, previous: !enabled },
    },
  ],
});
const unchanged = (key: string, enabled: boolean): Outcome => ({
  kind: 'succeeded',
  output: { key, enabled, previous: enabled, changed: false },
  events: [],
});

const { UNLEASH_URL: realUrl, UNLEASH_TOKEN: realToken } = process.env;
const places: readonly (readonly [string, () => Place])[] = [
  ['the stand-in', () => ({ url: unleash.origin, apiToken: UNLEASH_TOKEN })],
  ...(realUrl === undefined || realToken === undefined
    ? []
    : [['a real one', () => ({ url: realUrl, apiToken: realToken })] as const]),
];

describe.each(places)('a feature at %s', (_name, placeOf) => {
  it('is switched, and only a change is told', async () => {
    const place = placeOf();
    const key = await newFeature(place);
    const flags = flagsAt(place);
    const [on, again, off] = [callOf(), callOf(), callOf()];
    expect(await flags.setFlag(on, { key, enabled: true })).toEqual(changed(key, true, on));
    expect(await isOn(place, key)).toBe(true);
    expect(await isOn(place, key, 'production')).toBe(false);
    expect(await flags.setFlag(again, { key, enabled: true })).toEqual(unchanged(key, true));
    expect(await flags.setFlag(off, { key, enabled: false })).toEqual(changed(key, false, off));
    expect(await isOn(place, key)).toBe(false);
  });

  it('is left alone by a late repeat of a call that was done', async () => {
    const place = placeOf();
    const key = await newFeature(place);
    const flags = flagsAt(place);
    const first = callOf();
    const done = await flags.setFlag(first, { key, enabled: true });
    await flags.setFlag(callOf(), { key, enabled: false });
    expect(await flags.setFlag(first, { key, enabled: true })).toEqual(done);
    expect(await isOn(place, key)).toBe(false);
  });

  it('that it does not have, in a place that it does not have, is a failure in its words', async () => {
    const place = placeOf();
    const key = await newFeature(place);
    for (const [where, name] of [
      [{}, 'signalbox.none'],
      [{ environment: 'nowhere' }, key],
      [{ project: 'nowhere' }, key],
    ] as const) {
      const flags = flagsAt(place, where);
      const outcome = await flags.setFlag(callOf(), { key: name, enabled: true });
      expect(outcome).toMatchObject({ error: { code: 'flag_not_found' }, retryable: false });
      expect(JSON.stringify(outcome)).toMatch(/nowhere|signalbox\.none/);
    }
  });

  it('that is archived cannot be switched on, and is off', async () => {
    const place = placeOf();
    const key = await newFeature(place);
    await ask(place, 'DELETE', `/${key}`);
    const flags = flagsAt(place);
    expect(await flags.setFlag(callOf(), { key, enabled: true })).toMatchObject({
      error: {
        code: 'flags_refused',
        message:
          'Unleash refused (400). It said: Cannot perform this operation on archived features',
      },
      retryable: false,
    });
    expect(await flags.setFlag(callOf(), { key, enabled: false })).toEqual(unchanged(key, false));
  });

  it('is not touched with a token that it does not know', async () => {
    const place = placeOf();
    const key = await newFeature(place);
    const flags = flagsAt({ ...place, apiToken: 'user:wrong-token' });
    expect(await flags.setFlag(callOf(), { key, enabled: true })).toMatchObject({
      error: { code: 'credential_refused' },
      retryable: false,
    });
  });
});

describe('a token that may not', () => {
  it.each([
    ['evaluates for SDKs', UNLEASH_CLIENT_TOKEN, /different token type/],
    ['may only look', UNLEASH_VIEWER_TOKEN, /UPDATE_FEATURE_ENVIRONMENT/],
  ])('%s says what it lacks', async (_what, apiToken, words) => {
    const place = { url: unleash.origin, apiToken: UNLEASH_TOKEN };
    const key = await newFeature(place);
    const outcome = await flagsAt({ ...place, apiToken }).setFlag(callOf(), { key, enabled: true });
    expect(outcome).toMatchObject({ error: { code: 'scope_missing' }, retryable: false });
    expect(JSON.stringify(outcome)).toMatch(words);
    expect(JSON.stringify(outcome)).not.toContain(apiToken);
  });
});

const RETRY = { retryable: true };
const answered = (status: number, headers = {}, body: unknown = {}): Fault => ({
  kind: 'answer',
  answer: { status, headers, body },
});

describe('an Unleash that misbehaves', () => {
  const place = () => ({ url: unleash.origin, apiToken: UNLEASH_TOKEN });
  const isRead = ({ method }: VendorRequest) => method === 'GET';
  const isWrite = ({ method }: VendorRequest) => method === 'POST';

  /** What comes of the first attempt; whether the second has anything left to do says `wasDone`. */
  it.each<[string, Fault | Fault['kind'], 'read' | 'write', object, boolean]>([
    ['drops the reading', 'dropped', 'read', { error: { code: 'connection_failed' } }, false],
    ['drops the switching', 'dropped', 'write', { error: { code: 'connection_failed' } }, false],
    ['drops it once done', 'droppedAfter', 'write', { error: { code: 'connection_failed' } }, true],
    ['breaks off', 'halfAfter', 'read', { error: { code: 'connection_failed' } }, false],
    ['talks garbage', 'garbageAfter', 'read', { error: { code: 'answer_unreadable' } }, false],
    ['talks without end', 'hugeAfter', 'read', { error: { code: 'answer_unreadable' } }, false],
    ['is silent', 'silent', 'read', { error: { code: 'timeout' } }, false],
    ['is silent once it is done', 'silentAfter', 'write', { error: { code: 'timeout' } }, true],
    ['fails', answered(500), 'write', { error: { code: 'vendor_failed' } }, false],
    ['is away', answered(503), 'read', { error: { code: 'vendor_failed' } }, false],
    ['has a conflict', answered(409), 'write', { error: { code: 'vendor_busy' } }, false],
    ['is asked too much', answered(429), 'read', { retryAfterMs: null }, false],
    [
      'is asked too much, and says until when',
      answered(429, { 'retry-after': '7' }),
      'write',
      { error: { code: 'rate_limited' }, retryAfterMs: 7_000 },
      false,
    ],
  ])(
    '%s is asked again, and the change is told once it is known',
    async (_what, fault, at, first, wasDone) => {
      const key = await newFeature(place());
      const flags = flagsAt(place());
      const call = callOf(250);
      unleash.fail(fault, at === 'read' ? isRead : isWrite);
      expect(await flags.setFlag(call, { key, enabled: true })).toMatchObject({
        ...RETRY,
        ...first,
      });
      expect(unleash.isOn(key, 'development')).toBe(wasDone);
      const again = { ...call, timeoutMs: 5_000 };
      expect(await flags.setFlag(again, { key, enabled: true })).toEqual(changed(key, true, call));
      expect(unleash.isOn(key, 'development')).toBe(true);
    },
  );

  it('redirects and is not followed', async () => {
    const key = await newFeature(place());
    unleash.fail('redirect', isWrite);
    const before = unleash.requests.length;
    expect(await flagsAt(place()).setFlag(callOf(), { key, enabled: true })).toMatchObject({
      error: { code: 'redirect_refused' },
      retryable: false,
    });
    expect(unleash.requests.slice(before).map(({ path }) => path)).not.toContain('/elsewhere');
  });

  it.each([
    ['is not there', () => 'http://127.0.0.1:1'],
    ['speaks no TLS', () => unleash.origin.replace('http:', 'https:')],
  ])('%s: another attempt may reach it', async (_what, urlOf) => {
    const flags = flagsAt({ ...place(), url: urlOf() });
    expect(await flags.setFlag(callOf(), { key: 'signalbox.a', enabled: true })).toMatchObject({
      error: { code: 'connection_failed' },
      retryable: true,
    });
  });

  it('answers a switch with nothing readable: it is done all the same', async () => {
    const key = await newFeature(place());
    unleash.fail('garbageAfter', isWrite);
    const call = callOf();
    const outcome = await flagsAt(place()).setFlag(call, { key, enabled: true });
    expect(outcome).toEqual(changed(key, true, call));
  });

  it('was set back by somebody between two attempts: it is set again', async () => {
    const key = await newFeature(place());
    const flags = flagsAt(place());
    const call = callOf(250);
    unleash.fail('silentAfter', isWrite);
    await flags.setFlag(call, { key, enabled: true });
    unleash.turn(key, 'development', false);
    const again = { ...call, timeoutMs: 5_000 };
    expect(await flags.setFlag(again, { key, enabled: true })).toEqual(changed(key, true, call));
    expect(unleash.isOn(key, 'development')).toBe(true);
  });

  it('is not asked about a name that would lead elsewhere', async () => {
    const before = unleash.requests.length;
    for (const key of ['.', '..'])
      expect(await flagsAt(place()).setFlag(callOf(), { key, enabled: true })).toMatchObject({
        error: { code: 'flag_not_found' },
      });
    expect(unleash.requests).toHaveLength(before);
  });

  it('may stand below a path', async () => {
    const key = await newFeature(place());
    const flags = flagsAt({ ...place(), url: `${unleash.origin}/hosted/` });
    await flags.setFlag(callOf(), { key, enabled: true });
    expect(unleash.requests.at(-1)?.path).toBe(
      `/hosted/api/admin/projects/default/features/${key}/environments/development/on`,
    );
  });
});
