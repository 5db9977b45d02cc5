/**
 * The history of one run, as it comes to be known: checked entry by entry, from the entries alone and
 * not with the engine's own code (I2, I3).
 */
import { isDeepStrictEqual } from 'node:util';
import type { Entry } from '../../src/contract/entries.ts';
import type { Json } from '../../src/contract/json.ts';

const FINAL = /^run_(succeeded|failed|denied|expired|cancelled)$/;
const ENDS_ATTEMPT: ReadonlySet<Entry['type']> = new Set([
  'attempt_succeeded',
  'attempt_failed',
  'step_progressed',
]);

export class RunBook {
  readonly entries: Entry[] = [];
  end: Entry | null = null;

  /** What is wrong with a history that goes on from the one that is known; null: nothing. */
  take(told: readonly Entry[]): string | null {
    for (const [index, known] of this.entries.entries())
      if (!isDeepStrictEqual(told[index], known))
        return `entry ${index + 1} was ${known.type}, and is ${told[index]?.type}`;
    for (const entry of told.slice(this.entries.length)) {
      const wrong = this.#wrongWith(entry);
      if (wrong !== null) return wrong;
      this.entries.push(entry);
      if (FINAL.test(entry.type)) this.end = entry;
    }
    return null;
  }

  #wrongWith(entry: Entry): string | null {
    if (entry.seq !== this.entries.length + 1)
      return `entry ${entry.seq} after ${this.entries.length}`;
    if (this.end !== null && !ENDS_ATTEMPT.has(entry.type))
      return `${entry.type} after ${this.end.type}`;
    if (entry.type === 'attempt_started') return this.#wrongWithAttempt(entry);
    if (entry.type === 'approval_approved' || entry.type === 'approval_denied')
      return this.#wrongWithVote(entry);
    return null;
  }

  #wrongWithAttempt(entry: Extract<Entry, { type: 'attempt_started' }>): string | null {
    const own = this.#of(entry.stepId);
    const started = own.filter(({ type }) => type === 'attempt_started').length;
    const ended = own.filter(({ type }) => ENDS_ATTEMPT.has(type)).length;
    if (entry.attempt !== started + 1) return `attempt ${entry.attempt} after ${started}`;
    if (ended !== started) return `attempt ${entry.attempt} while another is under way`;
    if (own.some(({ type }) => type === 'attempt_succeeded')) return 'an attempt after a success';
    return this.gateFault(entry.stepId);
  }

  /** Each person once since the last edit, and nobody once it is answered. */
  #wrongWithVote(vote: Extract<Entry, { approvalId: string }>): string | null {
    const own = this.entries.filter(
      (entry) => 'approvalId' in entry && entry.approvalId === vote.approvalId,
    );
    const since = own.findLastIndex(({ type }) => type === 'approval_edited');
    const names = (entry: Entry) => ('actor' in entry ? [entry.actor.id] : []);
    const voted = own
      .slice(since + 1)
      .filter(({ type }) => type === 'approval_approved' || type === 'approval_denied')
      .flatMap(names);
    if (names(vote).some((name) => voted.includes(name))) return `a second vote of ${names(vote)}`;
    const closed = own.find(({ type }) =>
      ['approval_granted', 'approval_denied', 'approval_expired', 'approval_cancelled'].includes(
        type,
      ),
    );
    return closed === undefined ? null : `a vote after ${closed.type}`;
  }

  /** Why nothing may be done at a step yet; null: it may. */
  gateFault(stepId: string): string | null {
    const own = this.#of(stepId);
    const has = (type: Entry['type']) => own.some((one) => one.type === type);
    if (has('budget_asked') && !has('budget_reserved') && !has('approval_granted'))
      return `${stepId} is attempted beyond its budget`;
    const asked = own.find(({ type }) => type === 'approval_requested');
    if (asked?.type !== 'approval_requested') return null;
    const granted = own.findIndex(({ type }) => type === 'approval_granted');
    if (granted < 0) return `${stepId} is attempted before its gate is open`;
    const since = own.findLastIndex(({ type }) => type === 'approval_edited');
    if (since > granted) return `${stepId} was edited after its gate was opened`;
    const votes = own
      .slice(since + 1, granted)
      .flatMap((entry) => (entry.type === 'approval_approved' ? [entry.actor.id] : []));
    const people = new Set(votes).size;
    return people >= asked.rule.approvals
      ? null
      : `${stepId} is attempted after ${people} approvals of ${asked.rule.approvals}`;
  }

  /** The inputs that hold for a step: those that were resolved, or edited last. */
  inputOf(stepId: string): Json {
    const last = this.#of(stepId).findLast(
      ({ type }) => type === 'step_started' || type === 'approval_edited',
    );
    return last !== undefined && 'input' in last ? last.input : null;
  }

  hasAttempt(stepId: string, attempt: number): boolean {
    return this.entries.some(
      (entry) =>
        entry.type === 'attempt_started' && entry.stepId === stepId && entry.attempt === attempt,
    );
  }

  #of(stepId: string): Entry[] {
    return this.entries.filter((entry) => 'stepId' in entry && entry.stepId === stepId);
  }
}
