/**
 * A person's runs: the runs' own records go first, then their rows, for the rows are what is looked
 * through when somebody asks again.
 */
import type { ErasedCounts } from '../contract/privacy.ts';
import { eraseRunRows, unfinishedOf, type Wanted } from '../db/erasure.ts';
import { mailId } from '../ports/email.ts';
import { eraseMails } from '../ports/erase-mail.ts';
import type { ErasureEnv } from './erasure.ts';
import { runObject } from './index.ts';

/** What one request has done and found so far. */
export interface Tally {
  readonly erased: ErasedCounts;
  remains(kind: 'runs', id: string): void;
  /** Calls of other services that were made, or are about to be. */
  count(calls: number): void;
  /** It is time to answer; whoever asks again goes on. */
  isSpent(): boolean;
}

/** How far a list of runs was worked through. */
export interface RunsErased {
  /** One of them has not ended. */
  readonly isWaiting: boolean;
  /** So many of them, from the first, need not be looked at again. */
  readonly done: number;
}

const CALLS_OF_RUN = 7;

export class RunErasure {
  readonly #env: ErasureEnv;
  readonly #wanted: Wanted;
  readonly #tally: Tally;
  /** Runs that were looked at: a run has many transitions. */
  readonly #seen = new Set<string>();

  constructor(env: ErasureEnv, wanted: Wanted, tally: Tally) {
    this.#env = env;
    this.#wanted = wanted;
    this.#tally = tally;
  }

  /**
   * At least one of them. @param whole the runs are about the person, so all of them goes; else what
   * names them
   */
  async erase(runIds: readonly string[], whole: boolean, from = 0): Promise<RunsErased> {
    if (runIds.length === 0) return { isWaiting: false, done: 0 };
    this.#tally.count(1);
    const { DB } = this.#env;
    const unfinished = new Set(await unfinishedOf(DB, this.#wanted.tenantId, runIds));
    for (const runId of unfinished) this.#tally.remains('runs', runId);
    let isWaiting = unfinished.size > 0;
    for (const [index, runId] of runIds.entries()) {
      if (index < from || unfinished.has(runId)) continue;
      if (index > from && this.#tally.isSpent()) return { isWaiting, done: index };
      if (await this.#eraseOne(runId, whole)) continue;
      this.#tally.remains('runs', runId);
      isWaiting = true;
    }
    return { isWaiting, done: runIds.length };
  }

  /** False when something of it is still to come. */
  async #eraseOne(runId: string, whole: boolean): Promise<boolean> {
    const key = `${runId} ${whole}`;
    if (this.#seen.has(key)) return true;
    this.#tally.count(CALLS_OF_RUN);
    const { DB } = this.#env;
    const { tenantId, marks } = this.#wanted;
    const record = await runObject(this.#env, tenantId, runId).erase(marks, whole);
    if (record === 'waiting') return false;
    const { erased } = this.#tally;
    const { changed, auditParts, keys } = await eraseRunRows(DB, this.#wanted, runId, whole);
    if (changed || record === 'erased') erased.runs += 1;
    erased.auditParts += auditParts;
    // What it mailed was made of what the event said, whether or not it names the person.
    if (whole) erased.mails += await eraseMails(DB, tenantId, keys.map(mailId));
    this.#seen.add(key);
    return true;
  }
}
