/**
 * A thousand messages to a receiver that refuses, says nothing or hangs up half of the time: each one
 * is delivered or given up by the schedule, and the log has what the receiver has seen. The clock
 * stands, an hour ahead of the alarms' own, and is moved from one attempt to the next; the sweep wakes
 * what is due, as the cron does.
 */
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { type Delivery, delivery } from '../../../src/contract/deliveries.ts';
import type { Entry } from '../../../src/contract/entries.ts';
import { replay } from '../../../src/engine/state.ts';
import { sweep } from '../../../src/objects/sweep.ts';
import {
  answer,
  FINE,
  type Reply,
  replyByChance,
  type Taken,
} from '../../fixtures/receiver/script.ts';
import { assertHistory } from '../../unit/support/invariants.ts';
import { listAt } from '../support/answers.ts';
import type { Tenant } from '../support/api.ts';
import { openAddress, type RealAddress } from '../support/real-receiver.ts';
import {
  auditOf,
  DELIVERIES,
  forward,
  HOUR_MS,
  passTime,
  realTime,
  recordOf,
  recordWith,
  sendAndEnd,
  sendingTenant,
} from './support.ts';

afterEach(realTime);

const MESSAGES = 1_000;
const PORTION = 250;
const ATTEMPTS = 8;
const SCRIPT = {
  seed: 20,
  odds: [
    [0.3, answer(500)],
    [0.1, { kind: 'silence' }],
    [0.1, { kind: 'drop' }],
  ],
} as const;
/** In seconds; by a fifth more or less. */
const SCHEDULE = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
/** The sweep looks after what is overdue for so long. */
const OVERDUE_MS = 5 * 60_000;
const PATIENCE = { timeout: 120_000, interval: 100 };

const numbers = Array.from({ length: MESSAGES }, (_, n) => n);
const replyTo = (n: number, nth: number) => replyByChance(SCRIPT, `n=${n}`, nth);

function isRefused(n: number): boolean {
  return Array.from({ length: ATTEMPTS }, (_, nth) => replyTo(n, nth)).every((r) => r !== FINE);
}

/** How the log tells of a reply. */
function told(reply: Reply): Pick<Delivery, 'code' | 'responseStatus'> {
  if (reply.kind === 'silence') return { code: 'timeout', responseStatus: null };
  if (reply.kind === 'drop') return { code: 'connection_failed', responseStatus: null };
  const isFine = reply.kind === 'answer' && reply.status === 200;
  return isFine
    ? { code: null, responseStatus: 200 }
    : { code: 'endpoint_failed', responseStatus: 500 };
}

interface Live {
  /** Runs that the log knows of. */
  readonly known: number;
  /** Runs that have not ended. */
  readonly live: number;
  /** Those of them that do not wait for their next attempt. */
  readonly busy: number;
  /** Those that the sweep would wake. */
  readonly overdue: number;
  /** When the last one goes on. */
  readonly last: string;
}

async function liveRuns({ id }: Tenant): Promise<Live> {
  const row = await env.DB.prepare(
    `SELECT count(*) AS known, count(*) FILTER (WHERE finished_at IS NULL) AS live,
       count(*) FILTER (WHERE finished_at IS NULL AND status <> 'waiting') AS busy,
       count(*) FILTER (WHERE wake_at < ?2) AS overdue, max(wake_at) AS last
     FROM runs WHERE tenant_id = ?1`,
  )
    .bind(id, new Date(Date.now() - OVERDUE_MS).toISOString())
    .first<{ known: number; live: number; busy: number; overdue: number; last: string | null }>();
  const { known = 0, live = 0, busy = 0, overdue = 0, last } = row ?? {};
  return { known, live, busy, overdue, last: last ?? '' };
}

/** Waits until every run has ended or waits for its next attempt, and fewer than `most` are overdue. */
async function calm(tenant: Tenant, sent: number, most = Number.POSITIVE_INFINITY): Promise<Live> {
  return await vi.waitFor(async () => {
    const state = await liveRuns(tenant);
    expect(state.known).toBe(sent);
    expect(state.busy).toBe(0);
    expect(state.overdue).toBeLessThan(most);
    return state;
  }, PATIENCE);
}

/** The messages come in, some hundreds at a time. */
async function sendAll(tenant: Tenant): Promise<Live> {
  const events = Array.from({ length: MESSAGES }, (_, n) => ({
    type: 'custom.thing',
    data: { n },
  }));
  for (let from = 0; from < MESSAGES; from += PORTION) {
    expect((await tenant.events(events.slice(from, from + PORTION))).status).toBe(202);
    await calm(tenant, from + PORTION);
  }
  return await calm(tenant, MESSAGES);
}

/** The clock goes to the last attempt that waits, and the sweep comes until all of them are made. */
async function nextRound(tenant: Tenant, { last }: Live): Promise<Live> {
  vi.setSystemTime(Date.parse(last) + OVERDUE_MS + 1);
  for (let state = await liveRuns(tenant); ; state = await calm(tenant, MESSAGES, state.overdue)) {
    if (state.overdue === 0) return state;
    await sweep(env, Date.now());
  }
}

const parts = z.array(z.object({ run_id: z.string(), entries: z.string() }));

/** Every run's history, by id. */
async function histories({ id }: Tenant): Promise<Map<string, Entry[]>> {
  const { results } = await env.DB.prepare(
    `SELECT id AS run_id, 0 AS first_seq, entries FROM runs WHERE tenant_id = ?1
     UNION ALL SELECT run_id, first_seq, entries FROM run_entries WHERE tenant_id = ?1
     ORDER BY run_id, first_seq`,
  )
    .bind(id)
    .all();
  const all = new Map<string, Entry[]>();
  for (const { run_id: runId, entries } of parts.parse(results)) {
    const history: Entry[] = JSON.parse(entries);
    all.set(runId, [...(all.get(runId) ?? []), ...history]);
  }
  return all;
}

/** The whole log, page by page. */
async function wholeLog(tenant: Tenant): Promise<Delivery[]> {
  const rows: Delivery[] = [];
  for (let cursor: unknown = ''; cursor !== null; ) {
    const from = cursor === '' ? '' : `&cursor=${cursor}`;
    const page = await tenant.get(`${DELIVERIES}?limit=200${from}`);
    rows.push(...z.array(delivery).parse(listAt(page)));
    cursor = page.body.nextCursor ?? null;
  }
  return rows;
}

/** What came, by message: each under one id, with the replies that chance had for it. */
async function messagesOf(address: RealAddress): Promise<Map<number, Taken[]>> {
  const byNumber = Map.groupBy(await address.taken(), ({ path }) => Number(path.split('n=')[1]));
  expect(byNumber.size).toBe(MESSAGES);
  const ids = new Set<string>();
  for (const [n, taken] of byNumber) {
    expect(taken.map(({ reply }) => reply)).toEqual(taken.map((_, nth) => replyTo(n, nth)));
    const own = new Set(taken.map(({ headers }) => headers['webhook-id'] ?? ''));
    expect(own.size).toBe(1);
    for (const id of own) ids.add(id);
  }
  expect(ids.size).toBe(MESSAGES);
  return byNumber;
}

/**
 * The log of one message has a row for each request that came, and says of it how it was answered. On
 * a busy machine a request, or its answer, may come too late: then it says that.
 * @param rows the oldest first, no two of which began in one second
 * @returns how many were too late
 */
function checkLog(taken: readonly Taken[], rows: readonly Delivery[]): number {
  expect(rows.map(({ attempt }) => attempt)).toEqual(rows.map((_, index) => index + 1));
  const came = new Map(taken.map(({ headers, reply }) => [headers['webhook-timestamp'], reply]));
  expect(came.size).toBe(taken.length);
  let late = 0;
  for (const { startedAt, code, responseStatus } of rows) {
    const second = String(Math.floor(Date.parse(startedAt) / 1_000));
    const reply = came.get(second);
    came.delete(second);
    if (code === 'timeout' && reply?.kind !== 'silence') late += 1;
    else expect({ code, responseStatus }).toEqual(reply === undefined ? 'nothing' : told(reply));
  }
  expect(came.size).toBe(0);
  expect(rows.slice(0, -1).every(({ code }) => code !== null)).toBe(true);
  const last = rows.at(-1);
  expect(last?.code === null || last?.attempt === ATTEMPTS).toBe(true);
  return late;
}

/** Attempts come when they should, and the run ends as its message did. */
function checkHistory(
  id: string,
  history: readonly Entry[],
  tenantId: string,
): 'succeeded' | 'failed' {
  const run = replay(id, history);
  if (run?.status !== 'succeeded' && run?.status !== 'failed') throw new Error(`${run?.status}`);
  assertHistory(history, run, tenantId);
  let due = Number.NEGATIVE_INFINITY;
  for (const entry of history)
    if (entry.type === 'attempt_started') expect(Date.parse(entry.at)).toBeGreaterThanOrEqual(due);
    else if (entry.type === 'attempt_failed') {
      const nominal = SCHEDULE[entry.attempt - 1];
      expect(entry.retryAt === null).toBe(nominal === undefined);
      if (nominal === undefined || entry.retryAt === null) continue;
      due = Date.parse(entry.retryAt);
      const delay = (due - Date.parse(entry.at)) / 1_000;
      expect(delay).toBeGreaterThanOrEqual(nominal * 0.8);
      expect(delay).toBeLessThanOrEqual(nominal * 1.2);
    }
  return run.status;
}

/** It may be failing, but then since after the last success; and it was never disabled. */
async function checkHealth(tenant: Tenant, url: string, rows: readonly Delivery[]): Promise<void> {
  const record = await recordOf(tenant, url);
  const times = rows.filter(({ code }) => code === null).map(({ startedAt }) => startedAt);
  if (record !== null) {
    const since = record.failingSince ?? '';
    expect(record).toMatchObject({ state: 'failing', disabledAt: null });
    expect(since >= (times.toSorted().at(-1) ?? '')).toBe(true);
    const failed = rows.filter(({ code, startedAt }) => code !== null && startedAt >= since);
    expect(record.failures).toBeLessThanOrEqual(failed.length);
  }
  expect(await auditOf(tenant, 'destination.disabled')).toEqual([]);
}

test('a thousand messages through a storm: each delivered or given up by the schedule, under one id', async () => {
  const { tenant } = await sendingTenant();
  const address = await openAddress(SCRIPT);
  await forward(tenant, `${address.url}?n={{ event.data.n }}`, { timeout: '1s' });
  passTime(HOUR_MS);
  const begun = performance.now();
  let rounds = 1;
  for (let state = await sendAll(tenant); state.live > 0; rounds += 1)
    state = await nextRound(tenant, state);
  const took = Math.round(performance.now() - begun);

  const messages = await messagesOf(address);
  const log = Map.groupBy(await wholeLog(tenant), ({ webhookId }) => webhookId);
  const all = await histories(tenant);
  expect([log.size, all.size]).toEqual([MESSAGES, MESSAGES]);
  let late = 0;
  const givenUp: number[] = [];
  for (const n of numbers) {
    const taken = messages.get(n) ?? [];
    const rows = (log.get(taken[0]?.headers['webhook-id'] ?? '') ?? []).toSorted(
      (a, b) => a.attempt - b.attempt,
    );
    late += checkLog(taken, rows);
    const runId = rows[0]?.runId ?? '';
    const status = checkHistory(runId, all.get(runId) ?? [], tenant.id);
    expect(status).toBe(rows.at(-1)?.code === null ? 'succeeded' : 'failed');
    if (status === 'failed') givenUp.push(n);
  }
  if (late === 0) expect(givenUp).toEqual(numbers.filter(isRefused));
  const rows = [...log.values()].flat();
  console.log({ requests: rows.length, rounds, late, givenUp: givenUp.length, ms: took });
  await checkHealth(tenant, address.url, rows);
  await address.react({ replies: [] });
  await sendAndEnd(tenant, { n: MESSAGES });
  await recordWith(tenant, address.url, null);
}, 300_000);
