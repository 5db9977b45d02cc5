/**
 * The tenant's part in the read model: what waits goes to D1 in batches, one at a time. What stands in
 * the audit chain goes in its order; runs that have ended go when they have; a run that has not ended
 * at once is told of as it is, after a moment, so that most runs are told of once, when they are over.
 */
import { databaseAt, directoryOf } from '../db/databases.ts';
import { within } from '../within.ts';
import type { Delivering } from './delivery.ts';
import type { Drains } from './drains.ts';
import type { Ended } from './ended-runs.ts';
import { queuedParcel } from './ledger.ts';
import type { GivenRun } from './open-runs.ts';
import { Pace } from './pace.ts';
import type { TakenParcels } from './parcels.ts';
import { applyParcels, type Parcel, type ReadModelStores } from './projection.ts';

const WAY = 'd1';
/**
 * How many parcels, and about how many characters of them, one batch takes. More in one would save little,
 * and keep others waiting: D1 does one thing at a time. It takes 2 MB of a text, of which a character may be
 * three bytes, and the last parcel is taken whole.
 */
const PARCELS_MAX = 40;
const CHARACTERS_MAX = 400_000;
/**
 * While nobody waits for it, a batch takes so many runs at the most that are not over: where a destination is
 * slow they come by hundreds, and are to be in nobody's way.
 */
const UNTOLD_MAX = 20;
/** How long a caller waits for the read model, so that it reads its own writes. */
const PROJECTION_WAIT_MS = 3_000;
/**
 * A batch costs as much as the rows of many runs do, so one that is not full leaves no sooner than so long
 * after the last one, unless somebody waits for it or no other run is on its way.
 */
const PACE_MS = 100;
/** A run that is not over after this long is shown as it is. */
const HOLD_MS = 250;

/** What leaves at once. */
interface Batch {
  readonly taken: TakenParcels;
  readonly ended: readonly Ended[];
  readonly untold: readonly GivenRun[];
  readonly count: number;
  /** There is no room for more. */
  readonly isFull: boolean;
}

export class ReadModel {
  readonly #shell: Delivering;
  readonly #drains: Drains;
  readonly #pace = new Pace(PACE_MS);
  #isHolding = false;
  /** Runs were on their way when last looked at. */
  #wereOpen = false;

  constructor(shell: Delivering, drains: Drains) {
    this.#shell = shell;
    this.#drains = drains;
  }

  /** Sends all that waits, at once. Whoever calls while that is under way waits for it. */
  async drain(): Promise<void> {
    await this.#pace.hurry(() => this.#sendAll());
  }

  async drainIfIdle(now: number): Promise<void> {
    this.#watch();
    this.#skipAfterLast();
    if (!this.#drains.isBackingOff(WAY, now)) await this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    await this.#drains.run(WAY, () => this.#sendSome());
  }

  /** It did not answer when it was last asked. */
  isDown(): boolean {
    return this.#drains.isBackingOff(WAY, Date.now());
  }

  /** Not for ever: the read model may be down, and what was decided stands without it (I7). */
  async caughtUp(): Promise<void> {
    await within(PROJECTION_WAIT_MS, this.drain());
  }

  /** Looks again once what is new may have been held for long enough. */
  #watch(): void {
    if (this.#isHolding || this.#shell.stores().openRuns.untold(Date.now(), 1, 1).length === 0)
      return;
    this.#isHolding = true;
    const later = scheduler.wait(HOLD_MS).then(async () => {
      this.#isHolding = false;
      await this.drainIfIdle(Date.now());
    });
    this.#shell.ctx.waitUntil(later);
  }

  /** When the last of the runs that were on their way has ended, nothing is worth waiting for. */
  #skipAfterLast(): void {
    const areOpen = !this.#shell.stores().openRuns.isEmpty();
    if (this.#wereOpen && !areOpen) this.#pace.skip();
    this.#wereOpen = areOpen;
  }

  #stores(): ReadModelStores {
    const { env } = this.#shell;
    const number = this.#shell.stores().settings.database();
    return { directory: directoryOf(env), own: databaseAt(env, number), number };
  }

  async #sendSome(): Promise<'sent' | 'nothing waits'> {
    const first = this.#take();
    if (first.count === 0) return 'nothing waits';
    if (!first.isFull) await this.#pace.turn();
    const { taken, ended, untold } = first.isFull ? first : this.#take();
    const { parcels: queue, endedRuns, openRuns, tenant } = this.#shell.stores();
    const parcels: Parcel[] = [
      ...taken.bodies.map((body) => JSON.parse(body)),
      ...ended.map(({ parcel }) => parcel),
      ...untold.map(queuedParcel),
    ];
    const isNew = await applyParcels(this.#stores(), tenant.id, parcels);
    this.#shell.ctx.storage.transactionSync(() => {
      queue.acknowledge(taken);
      endedRuns.told(ended);
    });
    openRuns.told(untold);
    // What the object told before it slept, it has told to whoever listens.
    if (isNew) this.#shell.tell(parcels);
    return 'sent';
  }

  /**
   * What waits stays where it is until it is acknowledged. An event leaves after all parcels that came
   * about before it, for by a change of workflows that is among them its matches are told (triggers.ts).
   */
  #take(): Batch {
    const { parcels, endedRuns, openRuns } = this.#shell.stores();
    const taken = parcels.take(PARCELS_MAX, CHARACTERS_MAX);
    if (taken.more)
      return { taken, ended: [], untold: [], count: taken.bodies.length, isFull: true };
    let room = CHARACTERS_MAX - taken.bodies.reduce((sum, body) => sum + body.length, 0);
    const left = PARCELS_MAX - taken.bodies.length;
    const ended = room > 0 ? endedRuns.take(left, room) : [];
    room -= ended.reduce((sum, { size }) => sum + size, 0);
    const most = this.#pace.isHurried() ? PARCELS_MAX : UNTOLD_MAX;
    const limit = Math.min(left - ended.length, most);
    const untold = openRuns.untold(Date.now() - HOLD_MS, limit, room);
    const count = taken.bodies.length + ended.length + untold.length;
    return { taken, ended, untold, count, isFull: count >= PARCELS_MAX || room <= 0 };
  }
}
