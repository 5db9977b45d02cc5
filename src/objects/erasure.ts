/**
 * Erases a person from a tenant, step by step: each request looks through so much and answers where to
 * go on, so a large tenant is never one giant statement. Whoever is cut off begins again or goes on;
 * what is erased already is passed over. Runs go before the event that they began with, for the event
 * is what shows that they are about the person. docs/privacy.md
 */
import type { ErasedCounts, RemainingKind } from '../contract/privacy.ts';
import { type PrivateRow, privatePage, removeParts, type SeqPaths } from '../db/audit-erasure.ts';
import { deliveryPage, eraseDeliveries } from '../db/erase-deliveries.ts';
import {
  entriesPage,
  erasedRunsOf,
  eraseEvents,
  eventPage,
  identifiersOf,
  ordersWaitedFor,
  type Wanted,
} from '../db/erasure.ts';
import { ERASED } from '../engine/audit-parts.ts';
import { orderIdsIn, runIdsIn } from '../engine/mentions.ts';
import type { Env } from '../env.ts';
import { eraseNextExport } from '../ports/erase-exports.ts';
import { eraseFlagChangesPage, eraseFlagsPage } from '../ports/erase-flags.ts';
import { eraseMails, mailPage, type StoredMail } from '../ports/erase-mail.ts';
import { eraseOrdersPage, ordersOfCustomer } from '../ports/erase-orders.ts';
import { RunErasure } from './erase-runs.ts';

export type ErasureEnv = Pick<Env, 'DB' | 'DIRECTORY' | 'EXPORTS' | 'RUNS' | 'TENANTS'>;

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
  readonly #ownRuns: RunErasure;
  readonly #begun = Date.now();
  #calls = 0;

  constructor(env: ErasureEnv, wanted: Wanted) {
    this.#env = env;
    this.#wanted = wanted;
    this.#ownRuns = new RunErasure(env, wanted, this);
  }

  /** Goes on from a place; answers the next one, or null when everything was looked through. */
  async goOn(from: Place): Promise<Place | null> {
    for (let place = from; ; ) {
      const after = await this.#page(place);
      const phase = after === null ? PHASES[PHASES.indexOf(place.phase) + 1] : place.phase;
      if (phase === undefined) return null;
      place = { phase, after: after ?? '' };
      if (this.isSpent() && encodeURI(place.after).length <= PLACE_LENGTH_MAX) return place;
    }
  }

  count(calls: number): void {
    this.#calls += calls;
  }

  isSpent(): boolean {
    return this.#calls >= CALLS_MAX || Date.now() - this.#begun > PATIENCE_MS;
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

  /**
   * An event is about the person when it names them, an order of theirs, or came of one that does. It
   * may have started more runs than one request can erase: a place is the last event that was looked
   * at, and how many runs of the next one are done.
   */
  async #events(place: string): Promise<string | null> {
    const { DB } = this.#env;
    const { tenantId, mentions } = this.#wanted;
    const [after = '', skipped = '0'] = place.split(' ');
    const { rows, next } = await eventPage(DB, tenantId, after);
    const orderIds = rows.flatMap(({ data }) => orderIdsIn(data));
    const theirs = await ordersOfCustomer(DB, tenantId, orderIds, mentions);
    const causes = rows.flatMap(({ source }) => causeOf(source) ?? []);
    const theirRuns = new Set(await erasedRunsOf(DB, tenantId, causes));
    const erased: string[] = [];
    let [seen, from, cut]: [string, number, string | null] = [after, Number(skipped), null];
    for (const row of rows) {
      if (mentions(identifiersOf(row))) this.remains('identifiers', row.id);
      const isTheirs =
        mentions([row.data, row.subject, row.extensions]) ||
        orderIdsIn(row.data).some((id) => theirs.has(id)) ||
        theirRuns.has(causeOf(row.source) ?? '');
      if (isTheirs) {
        for (const runId of row.runs) theirRuns.add(runId);
        const { isWaiting, done } = await this.#ownRuns.erase(row.runs, true, from);
        // An event that stays is looked at again anyway, once its runs have ended.
        if (!isWaiting && done < row.runs.length) cut = `${seen} ${done}`;
        else if (!isWaiting) erased.push(row.id);
        if (this.isSpent()) cut ??= `${row.id} 0`;
      }
      if (cut !== null) break;
      [seen, from] = [row.id, 0];
    }
    if (erased.length > 0) await eraseEvents(DB, tenantId, erased).run();
    this.erased.events += erased.length;
    return cut ?? next;
  }

  /** What was not in the event: a vendor's answer, a comment, what a person did. */
  async #runs(after: string): Promise<string | null> {
    const { tenantId, mentions, marks } = this.#wanted;
    const [runId = '', seq = '0'] = after.split(' ');
    const { rows, next } = await entriesPage(this.#env.DB, tenantId, [runId, Number(seq)]);
    for (const { runId: id, firstSeq, entries } of rows) {
      const isActor = entries.some(
        (entry) =>
          'actor' in entry &&
          marks.actorIds.includes(entry.actor.id) &&
          entry.actor.name !== ERASED,
      );
      if (!isActor && !mentions(entries)) continue;
      await this.#ownRuns.erase([id], false);
      if (this.isSpent()) return `${id} ${firstSeq}`;
    }
    return next === null ? null : next.join(' ');
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
    const { erased, heldBy, named, next } = await eraseOrdersPage(
      this.#env.DB,
      tenantId,
      after,
      mentions,
      (orderIds) => ordersWaitedFor(this.#env.DB, tenantId, orderIds),
    );
    for (const runId of heldBy) this.remains('runs', runId);
    for (const id of named) this.remains('identifiers', id);
    this.erased.orders += erased;
    return next;
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
