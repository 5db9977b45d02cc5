/**
 * The stateless hands: performs attempts, and drives runs that can finish at once, in batches. What
 * takes longer than a moment is reported back by a call of its own, so that a slow destination keeps
 * no object awake and delays only the runs that talk to it (I6).
 */
import { WorkerEntrypoint } from 'cloudflare:workers';
import { performAttempt } from '../actions/attempt.ts';
import type { Outcome } from '../engine/plan.ts';
import { decide, isSettled, start } from '../engine/run.ts';
import type { Env } from '../env.ts';
import { logError } from '../log.ts';
import { openPorts } from '../ports/open.ts';
import { runObject, tenantObject } from './index.ts';
import type { AttemptJob, RunReport, Seed, TenantContext } from './messages.ts';
import { jobsOf, planOf, reportOf } from './plan.ts';

/** How long a caller is kept waiting for an answer. */
const PATIENCE_MS = 1_500;
/** One invocation has six connections; what has not begun by then gets an object of its own. */
const CONCURRENCY = 6;
const START_WITHIN_MS = 1_000;

/** What became of a run that was given out: its report, or that nobody has begun it. */
export type Driven = { runId: string; report: RunReport } | { runId: string; report: null };

export class Executor extends WorkerEntrypoint<Env> {
  /** One attempt: its outcome, or null when that will come by `attemptEnded`. */
  async attempt(job: AttemptJob): Promise<Outcome | null> {
    const outcome = performJob(this.env, job);
    const soon = await withinPatience(outcome);
    if (soon === null) this.ctx.waitUntil(this.#reportLate(job, outcome));
    return soon;
  }

  /** Drives runs as far as they go at once. Those that take longer are reported by `settle`. */
  async drive(seeds: readonly Seed[], context: TenantContext): Promise<Driven[]> {
    const begun = Date.now();
    const finished: Driven[] = [];
    const waiting = [...seeds];
    const work = async (): Promise<void> => {
      for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
        const late = Date.now() - begun > START_WITHIN_MS;
        const report = late ? null : await driveRun(this.env, seed, context);
        finished.push({ runId: seed.runId, report });
      }
    };
    const all = Promise.all(Array.from({ length: CONCURRENCY }, work));
    await withinPatience(all);
    const soon = finished.splice(0);
    if (soon.length < seeds.length) this.ctx.waitUntil(this.#settleLate(seeds, all, finished));
    return soon;
  }

  async #reportLate(job: AttemptJob, outcome: Promise<Outcome>): Promise<void> {
    const { tenantId, runId, stepId, attempt } = job;
    try {
      await runObject(this.env, tenantId, runId).attemptEnded(stepId, attempt, await outcome);
    } catch (error) {
      logError({ what: 'report_failed', tenantId, runId, stepId, attempt }, error);
    }
  }

  async #settleLate(
    seeds: readonly Seed[],
    all: Promise<unknown>,
    finished: readonly Driven[],
  ): Promise<void> {
    const tenantId = seeds[0]?.tenant.id;
    if (tenantId === undefined) return;
    try {
      await all;
      await tenantObject(this.env, tenantId).settle(finished);
    } catch (error) {
      logError({ what: 'report_failed', tenantId, count: finished.length }, error);
    }
  }
}

async function performJob(env: Env, job: AttemptJob): Promise<Outcome> {
  const { tenantId, runId, idempotencyKey, timeoutMs, action, input, event, approved } = job;
  const call = { tenantId, runId, idempotencyKey, timeoutMs, now: Date.now() };
  const ports = openPorts(env, tenantId, job.connections);
  return await performAttempt({ action, input, event, call, approved }, ports);
}

/**
 * Drives one run until it is done or has to remember something (a retry, a gate): the tenant then
 * moves it into an object. Attempts are not written down before they are made, so only actions whose
 * ports honour the idempotency key may come here; a crash repeats them under the same key.
 */
async function driveRun(env: Env, seed: Seed, context: TenantContext): Promise<RunReport> {
  const plan = planOf(seed, context.policy);
  let { run, entries } = start(plan, Date.now());
  const history = [...entries];
  for (;;) {
    const jobs = jobsOf(plan, run, entries, context.connections);
    if (jobs.length === 0 || isSettled(run)) return reportOf(seed, run, history);
    const outcomes = await Promise.all(
      jobs.map(async (job) => ({ job, outcome: await performJob(env, job) })),
    );
    const added = [];
    for (const { job, outcome } of outcomes) {
      const { stepId, attempt } = job;
      const ended = { type: 'attempt_ended', stepId, attempt, outcome } as const;
      const next = decide(plan, run, ended, Date.now(), Math.random());
      run = next.run;
      added.push(...next.entries);
    }
    entries = added;
    history.push(...added);
  }
}

async function withinPatience<T>(work: Promise<T>): Promise<T | null> {
  return await Promise.race([
    work,
    new Promise<null>((resolve) => setTimeout(resolve, PATIENCE_MS, null)),
  ]);
}
