/**
 * Looks on after each step, at what is on disk and at what arrives outside: no end changes, no chain
 * breaks, nothing is sent that was not written down and approved, and nobody sleeps who has work.
 */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { auditEntry } from '../../src/contract/audit.ts';
import { entry } from '../../src/contract/entries.ts';
import { json } from '../../src/contract/json.ts';
import type { Ledger } from './ledger.ts';
import type { House, Watch } from './platform/house.ts';
import { Invocation } from './platform/invocations.ts';
import { SIMULATED } from './platform/messages.ts';
import type { Arrival } from './platform/network.ts';
import type { SimulatedObject } from './platform/objects.ts';
import type { World } from './platform/world.ts';
import { RunBook } from './run-book.ts';

const FINAL: ReadonlySet<unknown> = new Set([
  'succeeded',
  'failed',
  'denied',
  'expired',
  'cancelled',
]);
const attemptJob = z.object({
  method: z.literal('attempt'),
  given: z.tuple([z.object({ runId: z.string(), stepId: z.string(), attempt: z.number() })]),
});
const driveJob = z.object({
  method: z.literal('drive'),
  given: z.tuple([
    z.array(
      z.object({
        runId: z.string(),
        definition: z.object({
          steps: z.array(z.object({ id: z.string(), approval: z.unknown().optional() })),
        }),
      }),
    ),
    z.unknown(),
    z.boolean(),
  ]),
});
const sentInput = z.object({ body: json });
/** The parts of a run's journal, as its object keeps them. */
const journalPart = z.object({ entries: z.string() });
const parcel = z.object({ audit: z.array(auditEntry).optional() });
const headRow = z.object({ seq: z.number(), hash: z.string() });

export class Watcher implements Watch {
  readonly #world: World;
  readonly #house: House;
  readonly #ledger: Ledger;
  /** What is on disk of runs in objects of their own, by run. */
  readonly books = new Map<string, RunBook>();
  /** The requests that have changed a policy, in their order. */
  readonly policies: string[] = [];
  readonly #ends = new Map<string, unknown>();
  readonly #heads = new Map<string, { seq: number; hash: string }>();

  readonly #epoch: number;

  constructor(world: World, house: House, ledger: Ledger) {
    this.#world = world;
    this.#epoch = world.epoch;
    this.#house = house;
    this.#ledger = ledger;
  }

  /** How long the chain of each tenant is. */
  sizes(): Map<string, number> {
    return new Map([...this.#heads].map(([name, { seq }]) => [name, seq]));
  }

  /** A time that the product wrote, in simulated time; null where clocks have jumped. */
  readonly sinceBeginning = (at: string): number | null =>
    this.#world.epoch === this.#epoch ? Date.parse(at) - this.#epoch : null;

  runWritten(object: SimulatedObject): void {
    const parts = object.storage.readKeys('journal-').map((part) => journalPart.parse(part));
    if (parts.length === 0) return;
    const [, , runId = ''] = object.name.split(':');
    const book = this.books.get(runId) ?? new RunBook();
    this.books.set(runId, book);
    const told = parts.flatMap(({ entries }) => z.array(entry).parse(JSON.parse(entries)));
    const wrong = book.take(told);
    if (wrong !== null) this.#world.fail('timeline', `${runId}: ${wrong}`);
    this.#sleepless(object, 'a run');
  }

  tenantWritten(object: SimulatedObject): void {
    const { storage, name } = object;
    const [head] = storage.read('audit_head', 'SELECT seq, hash FROM audit_head') ?? [];
    if (head === undefined) return;
    const now = headRow.parse(head);
    const before = this.#heads.get(name) ?? { seq: 0, hash: '' };
    if (now.seq !== before.seq) this.#chained(object, before, now);
    this.#heads.set(name, now);
    const twice = storage.read(
      'intake',
      'SELECT source, event_id FROM intake GROUP BY source, event_id HAVING count(*) > 1',
    );
    if (twice?.[0] !== undefined)
      this.#world.fail('events', `${name} has ${String(twice[0].event_id)} in two states`);
    const waiting = storage.read(
      'intake',
      `SELECT 'intake ' || state AS what FROM intake WHERE state < 3
       UNION ALL SELECT 'outbox ' || address FROM outbox UNION ALL SELECT 'mails' FROM mails`,
    );
    const work = (waiting ?? []).map(({ what }) => String(what));
    if (work.length > 0) this.#sleepless(object, work.join(', '));
  }

  /** The entries that were appended stand in the outbox and with the head, each linked to the one before. */
  #chained(
    { storage, name }: SimulatedObject,
    before: { readonly seq: number; readonly hash: string },
    now: { readonly seq: number; readonly hash: string },
  ): void {
    const waiting = storage.read(
      'outbox',
      `SELECT body FROM outbox WHERE address = 'd1' ORDER BY id`,
    );
    const last = storage.read('audit_head', 'SELECT parcel AS body FROM audit_head');
    const appended = [...(waiting ?? []), ...(last ?? [])]
      .flatMap(({ body }) => parcel.parse(JSON.parse(String(body))).audit ?? [])
      .filter(({ seq }) => seq > before.seq);
    let [seq, hash] = [before.seq, before.hash];
    for (const one of appended) {
      if (one.seq !== seq + 1 || (hash !== '' && one.prevHash !== hash))
        this.#world.fail('chain', `${name}: entry ${one.seq} does not follow ${seq}`);
      [seq, hash] = [one.seq, one.hash];
      if (one.action === 'policy.updated') this.policies.push(one.requestId);
    }
    if (before.seq > 0 && (seq !== now.seq || hash !== now.hash))
      this.#world.fail('chain', `${name}: its head is ${now.seq}, its entries end at ${seq}`);
  }

  /** Should it die now, something has to wake it. */
  #sleepless({ name, storage, alarmWasLost, isRinging }: SimulatedObject, work: string): void {
    if (storage.alarmOnDisk !== null || alarmWasLost || isRinging) return;
    this.#world.fail('alarm', `${name} has no alarm, and work: ${work}`);
  }

  logWritten(): void {
    for (const { id, status } of this.#house.d1.read('SELECT id, status FROM runs')) {
      const end = this.#ends.get(String(id));
      if (end !== undefined && end !== status)
        this.#world.fail(
          'final states',
          `${String(id)} was ${String(end)}, and is ${String(status)}`,
        );
      if (FINAL.has(status)) this.#ends.set(String(id), status);
    }
  }

  arrived({ webhookId, body, from }: Arrival): void {
    const [runId, stepId] = keyParts(webhookId);
    const before = this.#ledger.arrived.get(webhookId) ?? [];
    if (before[0] !== undefined && before[0] !== body)
      this.#world.fail('deliveries', `${webhookId} came with another body`);
    this.#ledger.arrived.set(webhookId, [...before, body]);
    const wrong =
      from instanceof Invocation
        ? this.#mayArrive(from.job, runId, stepId, body)
        : 'nobody sent it';
    if (wrong !== null) this.#world.fail('sending', `${webhookId}: ${wrong}`);
  }

  #mayArrive(job: unknown, runId: string, stepId: string, body: string): string | null {
    const drive = driveJob.safeParse(job);
    if (drive.success) {
      const seed = drive.data.given[0].find((one) => one.runId === runId);
      const step = seed?.definition.steps.find(({ id }) => id === stepId);
      return step?.approval === undefined ? null : 'an executor passed its gate';
    }
    const attempt = attemptJob.safeParse(job);
    const own = attempt.data?.given[0];
    const book = this.books.get(runId);
    if (own === undefined || book === undefined) return 'its run is in no object';
    if (!book.hasAttempt(stepId, own.attempt)) return `attempt ${own.attempt} is not written down`;
    const sent = sentInput.parse(book.inputOf(stepId));
    if (!isDeepStrictEqual(JSON.parse(body), sent.body)) return 'it is not what was written down';
    return book.gateFault(stepId);
  }

  /** A line of the product's log. Only what the simulation does may fail. */
  logged(line: string): void {
    if (!line.startsWith('{')) return;
    const { error } = z
      .object({ error: z.string().optional() })
      .parse(JSON.parse(line.split('\n')[0] ?? ''));
    if (error !== undefined && !error.includes(SIMULATED)) this.#world.fail('errors', line);
  }
}

/** `<run id>_<step id>`; ids of runs hold one underscore. */
function keyParts(webhookId: string): [runId: string, stepId: string] {
  const [prefix = '', hex = '', ...step] = webhookId.split('_');
  return [`${prefix}_${hex}`, step.join('_')];
}
