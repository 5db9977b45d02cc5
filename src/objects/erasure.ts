/**
 * Erases a person from a tenant, step by step: each request looks through so much and answers where to
 * go on, so a large tenant is never one giant statement. Whoever is cut off begins again or goes on;
 * what is erased already is passed over. Runs go before the event that they began with, for the event
 * is what shows that they are about the person. docs/privacy.md
 */
import type { ErasedCounts, RemainingKind } from '../contract/privacy.ts';
import { isFinal, RUN_STATUSES } from '../contract/runs.ts';
import { type PrivateRow, privatePage, removeParts, type SeqPaths } from '../db/audit-erasure.ts';
import { deliveryPage, eraseDeliveries } from '../db/erase-deliveries.ts';
import {
  entriesPage,
  erasedRunsOf,
  eraseEvents,
  eraseRunRows,
  eventPage,
  identifiersOf,
  unfinishedOf,
  type Wanted,
  waitingPage,
} from '../db/erasure.ts';
import { ERASED } from '../engine/audit-parts.ts';
import { orderIdsIn, runIdsIn } from '../engine/mentions.ts';
import type { Env } from '../env.ts';
import { mailId } from '../ports/email.ts';
import { eraseNextExport } from '../ports/erase-exports.ts';
import { eraseFlagChangesPage, eraseFlagsPage } from '../ports/erase-flags.ts';
import { eraseMails, mailPage, type StoredMail } from '../ports/erase-mail.ts';
import { eraseOrdersPage, ordersOfCustomer } from '../ports/erase-orders.ts';
import { runObject } from './index.ts';

export type ErasureEnv = Pick<Env, 'DB' | 'EXPORTS' | 'RUNS' | 'TENANTS'>;

export const PHASES = [
  'events',
  'runs',
  'audit',
  'mails',
  'deliveries',
  'flags',
  'flagChanges',
  'orders',
  'exports',
] as const;
export type Phase = (typeof PHASES)[number];

/** Where an erasure is: a phase, and the last row that was looked at. */
export interface Place {
  readonly phase: Phase;
  readonly after: string;
}
export const BEGINNING: Place = { phase: PHASES[0], after: '' };

/** A Worker's invocation has a thousand calls to other services; each page or run takes a few. */
const CALLS_MAX = 400;
const PATIENCE_MS = 15_000;
/** A cursor takes no more: after a longer id it goes on to the next page. */
const PLACE_LENGTH_MAX = 250;
const NOTHING: ErasedCounts = {
  events: 0,
  runs: 0,
  auditParts: 0,
  mails: 0,
  deliveries: 0,
  flags: 0,
  flagChanges: 0,
  orders: 0,
  exports: 0,
  members: 0,
};

/** One request's worth of it. */
export class Erasure {
  readonly erased: ErasedCounts = { ...NOTHING };
  readonly remaining = new Map<RemainingKind, Set<string>>();
  readonly #env: ErasureEnv;
  readonly #wanted: Wanted;
  #calls = 0;
  /** Runs that were looked at: a run has many transitions. */
  readonly #seenRuns = new Set<string>();
  /** Runs that have not ended, by each order that their events name. */
  #waitingFor: ReadonlyMap<string, string> | null = null;

  constructor(env: ErasureEnv, wanted: Wanted) {
    this.#env = env;
    this.#wanted = wanted;
  }

  /** Goes on from a place; answers the next one, or null when everything was looked through. */
  async goOn(from: Place): Promise<Place | null> {
    const begun = Date.now();
    for (let place = from; ; ) {
      const after = await this.#page(place);
      const phase = after === null ? PHASES[PHASES.indexOf(place.phase) + 1] : place.phase;
      if (phase === undefined) return null;
      place = { phase, after: after ?? '' };
      const isEnough = this.#calls >= CALLS_MAX || Date.now() - begun > PATIENCE_MS;
      if (isEnough && encodeURI(place.after).length <= PLACE_LENGTH_MAX) return place;
    }
  }

  async #page({ phase, after }: Place): Promise<string | null> {
    this.#calls += 2;
    switch (phase) {
      case 'events':
        return await this.#events(after);
      case 'runs':
        return await this.#runs(after);
      case 'audit':
        return await this.#audit(after);
      case 'mails':
        return await this.#mails(after);
      case 'deliveries':
        return await this.#deliveries(after);
      case 'flags':
        return await this.#flags(after);
      case 'flagChanges':
        return await this.#flagChanges(after);
      case 'orders':
        return await this.#orders(after);
      case 'exports':
        return await this.#exports(after);
    }
  }

  /** An event is about the person when it names them, an order of theirs, or came of one that does. */
  async #events(after: string): Promise<string | null> {
    const { DB } = this.#env;
    const { tenantId, mentions } = this.#wanted;
    const { rows, next } = await eventPage(DB, tenantId, after);
    const orderIds = rows.flatMap(({ data }) => orderIdsIn(data));
    const theirs = await ordersOfCustomer(DB, tenantId, orderIds, mentions);
    const causes = rows.flatMap(({ source }) => causeOf(source) ?? []);
    const theirRuns = new Set(await erasedRunsOf(DB, tenantId, causes));
    const done: string[] = [];
    for (const row of rows) {
      if (mentions(identifiersOf(row))) this.remains('identifiers', row.id);
      const names = mentions([row.data, row.subject, row.extensions]);
      const isOfOrder = orderIdsIn(row.data).some((id) => theirs.has(id));
      if (!names && !isOfOrder && !theirRuns.has(causeOf(row.source) ?? '')) continue;
      for (const runId of row.runs) theirRuns.add(runId);
      if (await this.#eraseRuns(row.runs, true)) done.push(row.id);
    }
    if (done.length > 0) await eraseEvents(DB, tenantId, done).run();
    this.erased.events += done.length;
    return next;
  }

  /** What was not in the event: a vendor's answer, a comment, what a person did. */
  async #runs(after: string): Promise<string | null> {
    const { tenantId, mentions, marks } = this.#wanted;
    const [runId = '', seq = '0'] = after.split(' ');
    const { rows, next } = await entriesPage(this.#env.DB, tenantId, [runId, Number(seq)]);
    for (const { runId: id, entries } of rows) {
      const isActor = entries.some(
        (entry) =>
          'actor' in entry &&
          marks.actorIds.includes(entry.actor.id) &&
          entry.actor.name !== ERASED,
      );
      if (isActor || mentions(entries)) await this.#eraseRuns([id], false);
    }
    return next === null ? null : next.join(' ');
  }

  /** The runs' own records first, then their rows. False when one of them has not ended. */
  async #eraseRuns(runIds: readonly string[], whole: boolean): Promise<boolean> {
    const { DB } = this.#env;
    const { tenantId, marks } = this.#wanted;
    const waiting = new Set(await unfinishedOf(DB, tenantId, runIds));
    for (const runId of runIds) {
      if (this.#seenRuns.has(`${runId} ${whole}`)) continue;
      this.#calls += 6;
      const record = waiting.has(runId)
        ? 'waiting'
        : await runObject(this.#env, tenantId, runId).erase(marks, whole);
      if (record === 'waiting') {
        waiting.add(runId);
        this.remains('runs', runId);
        continue;
      }
      const { changed, auditParts, keys } = await eraseRunRows(DB, this.#wanted, runId, whole);
      if (changed || record === 'erased') this.erased.runs += 1;
      this.erased.auditParts += auditParts;
      // What it mailed was made of what the event said, whether or not it names the person.
      if (whole) this.erased.mails += await eraseMails(DB, tenantId, keys.map(mailId));
      this.#seenRuns.add(`${runId} ${whole}`);
    }
    return waiting.size === 0;
  }

  async #audit(after: string): Promise<string | null> {
    const { tenantId } = this.#wanted;
    const { rows, next } = await privatePage(this.#env.DB, tenantId, Number(after));
    const gone = rows.flatMap((row): SeqPaths[] => {
      const paths = Object.keys(row.parts).filter((path) => this.#isTheirPart(row, path));
      return paths.length === 0 ? [] : [{ seq: row.seq, paths }];
    });
    if (gone.length > 0) await removeParts(this.#env.DB, tenantId, gone).run();
    for (const { paths } of gone) this.erased.auditParts += paths.length;
    for (const { seq, requestId } of rows)
      if (this.#wanted.mentions(requestId)) this.remains('identifiers', `audit entry ${seq}`);
    return next === null ? null : String(next);
  }

  /** What they are called, what they wrote, and what was said of them. */
  #isTheirPart({ actorId, targetId, parts }: PrivateRow, path: string): boolean {
    const { marks, mentions } = this.#wanted;
    const isActor = marks.actorIds.includes(actorId);
    if (path === 'actor.name') return isActor || mentions(parts[path]?.value);
    if (path === 'data.comment' && isActor) return true;
    return marks.actorIds.includes(targetId) || mentions(parts[path]?.value);
  }

  /** A mail that tells of a run whose event was erased is about the person as well. */
  async #mails(after: string): Promise<string | null> {
    const { tenantId, mentions } = this.#wanted;
    const { rows, next } = await mailPage(this.#env.DB, tenantId, after);
    const told = await erasedRunsOf(this.#env.DB, tenantId, rows.flatMap(runsToldOf));
    const theirs = rows.filter(
      (row) =>
        mentions([...row.to, row.subject, row.text, row.html]) ||
        runsToldOf(row).some((runId) => told.has(runId)),
    );
    const ids = theirs.map(({ id }) => id);
    this.erased.mails += await eraseMails(this.#env.DB, tenantId, ids);
    return next;
  }

  /** A request that a run made whose event was erased went where the event said, perhaps. */
  async #deliveries(after: string): Promise<string | null> {
    const { tenantId, mentions } = this.#wanted;
    const { rows, next } = await deliveryPage(this.#env.DB, tenantId, after);
    const runIds = rows.map(({ runId }) => runId);
    const told = await erasedRunsOf(this.#env.DB, tenantId, runIds);
    const theirs = rows.filter(
      ({ runId, destination, response }) => told.has(runId) || mentions([destination, response]),
    );
    await eraseDeliveries(
      this.#env.DB,
      tenantId,
      theirs.map(({ id }) => id),
    );
    this.erased.deliveries += theirs.length;
    return next;
  }

  async #flags(after: string): Promise<string | null> {
    const { tenantId, mentions } = this.#wanted;
    const { erased, next } = await eraseFlagsPage(this.#env.DB, tenantId, after, mentions);
    this.erased.flags += erased;
    return next;
  }

  async #flagChanges(after: string): Promise<string | null> {
    const { tenantId, mentions, marks } = this.#wanted;
    const { actorIds } = marks;
    const wanted = { actorIds, mentions };
    const { erased, next } = await eraseFlagChangesPage(this.#env.DB, tenantId, after, wanted);
    this.erased.flagChanges += erased;
    return next;
  }

  /**
   * An order for which a run waits keeps its customer: by it alone the run's event may be known for
   * theirs, once the run has ended.
   */
  async #orders(after: string): Promise<string | null> {
    const { tenantId, mentions } = this.#wanted;
    const { erased, held, named, next } = await eraseOrdersPage(
      this.#env.DB,
      tenantId,
      after,
      mentions,
      async (orderId) => (await this.#waiting()).has(orderId),
    );
    const waiting = held.length === 0 ? new Map<string, string>() : await this.#waiting();
    for (const id of held) this.remains('runs', waiting.get(id) ?? id);
    for (const id of named) this.remains('identifiers', id);
    this.erased.orders += erased;
    return next;
  }

  /** Looked up once, when it is asked for. */
  async #waiting(): Promise<ReadonlyMap<string, string>> {
    if (this.#waitingFor !== null) return this.#waitingFor;
    const runs = new Map<string, string>();
    for (const status of RUN_STATUSES.filter((status) => !isFinal(status)))
      for (let after: string | null = ''; after !== null; ) {
        this.#calls += 1;
        const page = await waitingPage(this.#env.DB, this.#wanted.tenantId, status, after);
        for (const { runId, data } of page.rows)
          for (const orderId of orderIdsIn(data)) runs.set(orderId, runId);
        after = page.next;
      }
    this.#waitingFor = runs;
    return runs;
  }

  /** After the orders: a file that is begun from now on holds nothing of the person. */
  async #exports(after: string): Promise<string | null> {
    const { tenantId, marks, mentions } = this.#wanted;
    const stores = { db: this.#env.DB, bucket: this.#env.EXPORTS };
    const next = await eraseNextExport(stores, tenantId, after, marks, mentions);
    if (next?.verdict === 'running') this.remains('exports', next.id);
    if (next?.verdict === 'removed') this.erased.exports += 1;
    return next?.id ?? null;
  }

  remains(kind: RemainingKind, id: string): void {
    const ids = this.remaining.get(kind) ?? new Set();
    this.remaining.set(kind, ids.add(id));
  }
}

/** The run whose action caused an event; null for an event from outside. */
function causeOf(source: string): string | null {
  return /^\/runs\/(run_[0-9a-f]{32})$/.exec(source)?.[1] ?? null;
}

function runsToldOf({ text, html }: StoredMail): string[] {
  return runIdsIn(`${text} ${html}`);
}
