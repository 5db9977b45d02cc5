/**
 * One run that has to wait: votes, expiry, cancel and attempts, one after the other. A thin shell
 * over the engine: load, decide, commit, and only then let anything leave. Between the load and the
 * commit there is no await, so no two decisions see the same state (I2, I3). Once the run is over and
 * its tenant has taken all of it, nothing of it is kept here.
 */
import { DurableObject } from 'cloudflare:workers';
import type { Entry } from '../contract/entries.ts';
import type { Actor, JsonObject } from '../contract/json.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import type { Run } from '../contract/runs.ts';
import type { Claim, Vote } from '../engine/approval.ts';
import { erasedEntries, erasedEvent } from '../engine/erasure.ts';
import { type Marks, mentionsOf } from '../engine/mentions.ts';
import type { AttemptOutcome, Decision, Plan, RunInput } from '../engine/plan.ts';
import { decide, isSettled, nextWake, start } from '../engine/run.ts';
import { type RunState, replay, viewRun } from '../engine/state.ts';
import type { Env } from '../env.ts';
import { logError } from '../log.ts';
import { within } from '../within.ts';
import { alarmTurn } from './alarm-turns.ts';
import { Drains } from './drains.ts';
import { Alarm } from './due.ts';
import { InFlight } from './in-flight.ts';
import { runObjectName, tenantObject } from './index.ts';
import { Journal } from './journal.ts';
import { LentContext } from './lent-context.ts';
import type { AttemptJob, Handover, Seed, TenantContext } from './messages.ts';
import { budgetQuestions, jobsOf, planOf, reportOf } from './plan.ts';

/** A refusal shows the run as it is, so that the caller need not ask again. */
export type RunAnswer = { ok: true; run: Run } | (Refusal & { run?: Run });

const RETRY_REPORT_MS = 5_000;
const RETRY_WAKE_MS = 1_000;
/**
 * What follows from a decision at once is told with it: the answer shows what came of it, and its
 * tenant is called once for all of it.
 */
const TOGETHER_MS = 250;
const TENANT = 'tenant';

export class RunObject extends DurableObject<Env> {
  readonly #alarm: Alarm;
  readonly #journal: Journal;
  readonly #drains = new Drains();
  #run: RunState | undefined;
  /** Attempts whose outcome may still come as an answer. */
  readonly #attempts = new InFlight();
  /** Calls that go by the state: while there are any, it is not forgotten. */
  readonly #calls = new InFlight();
  /** Steps whose budget is being asked for right now. */
  readonly #asking = new Set<string>();
  readonly #context: LentContext;
  /** It was here, and is over. */
  #isOver = false;
  /** Callers who wait until the read model shows what they did. */
  #readers = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#alarm = new Alarm(ctx.storage);
    this.#journal = new Journal(ctx.storage.kv);
    this.#context = new LentContext(env);
    const seed = this.#journal.seed();
    if (seed !== null) this.#run = replay(seed.runId, this.#journal.entries());
  }

  /**
   * Takes a run over from its tenant, and starts or goes on with it. Taking it twice is fine, also when
   * the second time comes after its end: nothing of it is here any more, but its tenant knows.
   */
  async adopt({ seed, entries }: Handover): Promise<void> {
    this.#assertName(seed);
    if (this.#run !== undefined) return;
    const lent = await tenantObject(this.env, seed.tenant.id).lendTo(seed.place);
    if (lent === null) return;
    this.#context.take(lent);
    await this.#calls.during(async () => {
      const plan = await this.#planNow(seed);
      if (this.#run !== undefined || this.#isOver) return;
      const decision = entries.length === 0 ? start(plan, Date.now()) : handedOver(seed, entries);
      this.ctx.storage.transactionSync(() => this.#journal.begin(seed, entries));
      await this.#commit(seed, decision);
      this.#perform(seed, [...entries, ...decision.entries]);
      this.#reportSoon(seed);
    });
  }

  /** `lent`, here and below: what the caller was given by the tenant for this run. */
  async vote(vote: Vote, lent?: TenantContext): Promise<RunAnswer> {
    return await this.#take({ type: 'vote', vote }, true, lent);
  }

  /** An admin decides alone, where the policy allows it. */
  async breakGlass(claim: Claim, lent?: TenantContext): Promise<RunAnswer> {
    return await this.#take({ type: 'override', claim }, true, lent);
  }

  async editInput(claim: Claim, input: JsonObject, lent?: TenantContext): Promise<RunAnswer> {
    return await this.#take({ type: 'edit', claim, input }, true, lent);
  }

  /** That somebody who may decide has looked at what waits. */
  async noteView(claim: Claim, lent?: TenantContext): Promise<RunAnswer> {
    return await this.#take({ type: 'view', claim }, false, lent);
  }

  async cancel(
    actor: Actor,
    comment: string | null,
    requestId: string,
    lent?: TenantContext,
  ): Promise<RunAnswer> {
    return await this.#take({ type: 'cancel', actor, comment, requestId }, true, lent);
  }

  /** The outcome of an attempt that took long. One that is not in flight any more changes nothing. */
  async attemptEnded(stepId: string, attempt: number, outcome: AttemptOutcome): Promise<void> {
    await this.#take({ type: 'attempt_ended', stepId, attempt, outcome }, false);
  }

  /**
   * Takes a person out of a run that has ended; `whole`: all that it was given and answered. `waiting`
   * when something of it is still to come, `none` when there is nothing of them here.
   */
  async erase(marks: Marks, whole: boolean): Promise<'erased' | 'waiting' | 'none'> {
    const seed = this.#journal.seed();
    if (seed === null || this.#run === undefined) return 'none';
    if (this.#journal.unreported().length > 0 || !isSettled(this.#run)) return 'waiting';
    const mentions = mentionsOf(marks);
    const event = whole || mentions(seed.event) ? erasedEvent(seed.event) : seed.event;
    const entries = this.#journal.entries();
    const isSame =
      JSON.stringify(event) === JSON.stringify(seed.event) &&
      erasedEntries(entries, marks, mentions, whole) === entries;
    if (isSame) return 'none';
    this.ctx.storage.transactionSync(() =>
      this.#journal.erase({ ...seed, event }, (entries) =>
        erasedEntries(entries, marks, mentions, whole),
      ),
    );
    this.#run = replay(seed.runId, this.#journal.entries());
    return 'erased';
  }

  /** For the sweep: whatever is overdue happens now. */
  async poke(): Promise<void> {
    await this.#take({ type: 'tick' }, false);
  }

  override async alarm(): Promise<void> {
    this.#alarm.fired();
    try {
      await alarmTurn();
      await this.poke();
    } catch (error) {
      logError({ what: 'alarm_failed', ...runObjectName(this.ctx.id.name) }, error);
      await this.#alarm.arm(Date.now() + RETRY_REPORT_MS);
    }
  }

  /** The one way in for everything that happens to a run. */
  async #take(input: RunInput, projected: boolean, lent?: TenantContext): Promise<RunAnswer> {
    const seed = this.#journal.seed();
    if (seed === null || this.#run === undefined) return noSuchRun();
    if (lent !== undefined) this.#context.borrow(seed, lent);
    return await this.#calls.during(() => this.#takeInto(seed, input, projected));
  }

  async #takeInto(seed: Seed, input: RunInput, projected: boolean): Promise<RunAnswer> {
    const plan = await this.#planNow(seed);
    if (this.#run === undefined) return noSuchRun();
    const decision = decide(plan, this.#run, input, Date.now(), Math.random());
    await this.#commit(seed, decision);
    this.#perform(seed, decision.entries);
    if (projected) await within(TOGETHER_MS, this.#attempts.none());
    const run = viewRun(this.#run, this.#journal.entries());
    if (projected) await this.#report(seed, true);
    else this.#reportSoon(seed);
    if (decision.refused === undefined) return { ok: true, run };
    const { code, detail, errors } = decision.refused;
    return { ...refusal(code, detail, errors), run };
  }

  /** What was decided is on disk, and the alarm stands for what comes next. */
  async #commit(seed: Seed, { run, entries }: Decision): Promise<void> {
    this.ctx.storage.transactionSync(() => this.#journal.append(entries));
    this.#run = run;
    await this.#arm();
    this.ctx.waitUntil(this.#askBudgets(seed));
  }

  async #arm(): Promise<void> {
    const now = Date.now();
    // What is over goes once it is reported and nobody asks for it: until then it has to be woken.
    const isOver = this.#run !== undefined && isSettled(this.#run);
    const hasToGo = isOver || this.#journal.unreported().length > 0;
    const report = hasToGo ? now + RETRY_REPORT_MS : null;
    const next = this.#run === undefined ? null : nextWake(this.#run);
    // Many runs may wait for one tenant: they do not come back all at once.
    const again = now + RETRY_REPORT_MS * (1 + Math.random());
    const soon = this.#context.isOutOfReach ? again : now + RETRY_WAKE_MS;
    // What is still due after a turn waits for an answer: not at once, or the alarm would spin.
    const wake = next !== null && next <= now ? soon : next;
    const held = this.#context.isOutOfReach && next !== null ? again : null;
    const times = [report, wake, held].flatMap((time) => (time === null ? [] : [time]));
    await this.#alarm.arm(times.length === 0 ? null : Math.min(...times));
  }

  /** Once what is under way has come back, or it takes longer. */
  #reportSoon(seed: Seed): void {
    const soon = within(TOGETHER_MS, this.#attempts.none()).then(() => this.#report(seed, false));
    this.ctx.waitUntil(soon);
  }

  /** The tenant takes the entries into audit and read model, and answers what it knows now. */
  async #report(seed: Seed, projected: boolean): Promise<void> {
    if (projected) this.#readers += 1;
    // Whose drain this is does not matter: it may carry the entries of a caller who came later.
    await this.#drains.run(TENANT, async () => {
      const entries = this.#journal.unreported();
      if (this.#run === undefined || entries.length === 0) return 'nothing waits';
      const report = reportOf(seed, this.#run, entries);
      const tenant = tenantObject(this.env, seed.tenant.id);
      this.#context.take(await tenant.report([report], this.#readers > 0));
      this.#journal.reported(report.seq);
      return 'sent';
    });
    if (projected) this.#readers -= 1;
    this.ctx.waitUntil(this.#calls.none().then(() => this.#forgetWhenOver()));
  }

  /** What is over, and known to the tenant, is told from the run log from now on. */
  async #forgetWhenOver(): Promise<void> {
    if (this.#run === undefined || !isSettled(this.#run)) return;
    if (this.#journal.unreported().length > 0) return await this.#arm();
    this.#run = undefined;
    this.#isOver = true;
    this.#journal.forget();
    this.#alarm.forget();
    await this.ctx.storage.deleteAll();
  }

  /** A gate opens by the policy of that moment; votes, times and outcomes count without it, too. */
  async #planNow(seed: Seed): Promise<Plan> {
    const { context, isFresh } = await this.#context.now(seed);
    return planOf(seed, context.policy, isFresh);
  }

  /** The attempts that entries have started, each by itself. */
  #perform(seed: Seed, entries: readonly Entry[]): void {
    if (!entries.some(({ type }) => type === 'attempt_started')) return;
    const work = this.#attempts.during(async () => {
      const { context } = await this.#context.now(seed);
      if (this.#run === undefined) return;
      const jobs = jobsOf(planOf(seed, context.policy), this.#run, entries, context);
      await Promise.all(jobs.map((job) => this.#performOne(job)));
    });
    this.ctx.waitUntil(work);
  }

  /** Asking twice reserves once, so a question without an answer is simply asked again. */
  async #askBudgets(seed: Seed): Promise<void> {
    if (this.#run === undefined) return;
    const { tenant, runId, place } = seed;
    for (const [stepId, question] of budgetQuestions(this.#run, this.#journal.entries(), place)) {
      if (this.#asking.has(stepId)) continue;
      this.#asking.add(stepId);
      try {
        const answer = await tenantObject(this.env, tenant.id).reserveBudget(question);
        const detail = answer.granted ? '' : answer.detail;
        const { granted } = answer;
        await this.#take({ type: 'budget_answered', stepId, granted, detail }, false);
      } catch (error) {
        logError({ what: 'budget_failed', tenantId: tenant.id, runId, stepId }, error);
      } finally {
        this.#asking.delete(stepId);
      }
    }
  }

  /** An attempt that cannot even be handed over is lost when its deadline passes, and retried. */
  async #performOne(job: AttemptJob): Promise<void> {
    const { stepId, attempt, tenantId, runId } = job;
    try {
      const outcome = await this.ctx.exports.Executor.attempt(job);
      if (outcome !== null) await this.attemptEnded(stepId, attempt, outcome);
    } catch (error) {
      logError({ what: 'attempt_failed', tenantId, runId, stepId, attempt }, error);
    }
  }

  /** The object was addressed by this run's name, or the caller has made a mistake (I4). */
  #assertName(seed: Seed): void {
    const name = runObjectName(this.ctx.id.name);
    if (name?.tenantId !== seed.tenant.id || name.runId !== seed.runId)
      throw new Error('this object belongs to another run');
  }
}

function noSuchRun(): Refusal {
  return refusal('not_found', 'There is no such run.');
}

/** A run that an executor has begun goes on from its entries. */
function handedOver(seed: Seed, entries: readonly Entry[]): Decision {
  const run = replay(seed.runId, entries);
  if (run === undefined) throw new Error('a run without a beginning');
  return { run, entries: [] };
}
