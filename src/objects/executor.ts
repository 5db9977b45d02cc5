/**
 * The stateless hands: performs attempts, and drives runs that can finish at once, in batches. What
 * takes longer than a moment is reported back by a call of its own, so that a slow destination keeps
 * no object awake and delays only the runs that talk to it (I6).
 */
import { WorkerEntrypoint } from 'cloudflare:workers';
import { isRepeatable, performAttempt } from '../actions/attempt.ts';
import { envForWork } from '../db/databases.ts';
import type { AttemptOutcome, Outcome, Plan } from '../engine/plan.ts';
import { decide, isSettled, start } from '../engine/run.ts';
import type { Env } from '../env.ts';
import { Gathered } from '../gathered.ts';
import { inLanes, LANES_OUT } from '../in-lanes.ts';
import { logError } from '../log.ts';
import type { SealedConnection } from '../ports/connections.ts';
import type { DestinationGate, Ports } from '../ports/index.ts';
import { openPorts } from '../ports/open.ts';
import { within } from '../within.ts';
import { type CheckpointCopy, mailCheckpoint, storeCheckpoint } from './checkpoint-copies.ts';
import { mailDestination } from './destination-mail.ts';
import { destinationKey } from './destinations.ts';
import { type FlagOrder, performOrder } from './flag-orders.ts';
import { runObject, tenantObject } from './index.ts';
import {
  type AttemptJob,
  isCurrent,
  type Notice,
  type RedeliveryJob,
  type RunReport,
  type Seed,
  type TenantContext,
} from './messages.ts';
import { mailNotice, postNotice } from './notice-sending.ts';
import type { Left, OwnMail } from './own-mail.ts';
import { jobsOf, planOf, reportOf } from './plan.ts';
import { redeliver } from './redelivering.ts';

/** How long a caller is kept waiting. */
const PATIENCE_MS = 1_500;
/** The same for runs that are known to keep their callers waiting. */
const APART_PATIENCE_MS = 100;
/** What ends later is settled together with what ends in the same moment. */
const LATE_GATHER_MS = 10;
/** So long after a probe may be made, its result is known. */
const PROBE_MS = 60_000;

/** What became of a run that was given out: its report, or that it could not be driven. */
export type Driven = { runId: string; report: RunReport } | { runId: string; report: null };

/** What became of runs that were given out together, as far as their caller waits for it. */
export interface Progress {
  readonly driven: Driven[];
  /** Under way: each is settled by a call of its own. */
  readonly late: string[];
  /** Nobody has begun them. */
  readonly unbegun: string[];
}

export class Executor extends WorkerEntrypoint<Env> {
  /** One attempt: its outcome, or null when that will come by `attemptEnded`. */
  async attempt(job: AttemptJob): Promise<AttemptOutcome | null> {
    const env = await envForWork(this.env, job.tenantId);
    const outcome = performJob(job, portsOf(env, job));
    const soon = await within(PATIENCE_MS, outcome);
    if (soon === null) this.ctx.waitUntil(this.#reportLate(job, outcome));
    return soon;
  }

  /**
   * Drives runs of a tenant as far as they go at once. Unless, while the caller was patient, more of them
   * ended than can be under way: then it is their number that takes long.
   * @param apart runs that are known to take long
   */
  async drive(seeds: readonly Seed[], context: TenantContext, apart: boolean): Promise<Progress> {
    const waiting = byTurns(seeds);
    const tenantId = seeds[0]?.tenant.id ?? '';
    const env = await envForWork(this.env, tenantId);
    const driven: Driven[] = [];
    const underWay = new Set<string>();
    const late = new Gathered<Driven>(LATE_GATHER_MS, (some) => this.#settleLate(tenantId, some));
    let answered = false;
    const all = inLanes(waiting, LANES_OUT, async (seed) => {
      underWay.add(seed.runId);
      const ended = await tryToDrive(env, seed, context);
      underWay.delete(seed.runId);
      if (answered) await late.add(ended);
      else driven.push(ended);
    });
    let before: number;
    do {
      before = driven.length;
      await within(apart ? APART_PATIENCE_MS : PATIENCE_MS, all);
    } while (waiting.length > 0 && driven.length - before > LANES_OUT);
    answered = true;
    this.ctx.waitUntil(all);
    const unbegun = waiting.splice(0).map(({ runId }) => runId);
    return { driven, late: [...underWay], unbegun };
  }

  /** Sends a mail of our own. @returns what remains of it to be sent; null: nothing */
  async mail(mail: OwnMail, connections: readonly SealedConnection[]): Promise<Left | null> {
    const env = await envForWork(this.env, tenantOf(mail));
    switch (mail.kind) {
      case 'notice':
        return await mailNotice(env, mail.notice, connections);
      case 'checkpoint':
        return await mailCheckpoint(env, mail.checkpoint, connections);
      case 'destination':
        return await mailDestination(env, mail.destination, connections);
    }
  }

  /** Throws when it has to be tried again. */
  async postNotice(
    notice: Notice,
    url: string,
    connections: readonly SealedConnection[],
  ): Promise<void> {
    await postNotice(this.env, notice, url, connections);
  }

  /** One attempt at a flag that an admin sets by hand. */
  async setFlag(
    tenantId: string,
    order: FlagOrder,
    connections: readonly SealedConnection[],
  ): Promise<Outcome> {
    return await performOrder(await envForWork(this.env, tenantId), tenantId, order, connections);
  }

  /** Answers at once; what became of the messages is reported by a call of its own. */
  async redeliver(job: RedeliveryJob): Promise<void> {
    const env = await envForWork(this.env, job.tenantId);
    this.ctx.waitUntil(redeliver(env, job));
  }

  /** Throws when it has to be tried again. */
  async storeCheckpoint(copy: CheckpointCopy): Promise<void> {
    await storeCheckpoint(this.env, copy);
  }

  async #reportLate(job: AttemptJob, outcome: Promise<AttemptOutcome>): Promise<void> {
    const { tenantId, runId, stepId, attempt } = job;
    try {
      await runObject(this.env, tenantId, runId).attemptEnded(stepId, attempt, await outcome);
    } catch (error) {
      logError({ what: 'report_failed', tenantId, runId, stepId, attempt }, error);
    }
  }

  async #settleLate(tenantId: string, driven: readonly Driven[]): Promise<void> {
    try {
      await tenantObject(this.env, tenantId).settle(driven);
    } catch (error) {
      for (const { runId } of driven) logError({ what: 'report_failed', tenantId, runId }, error);
    }
  }
}

function tenantOf(mail: OwnMail): string {
  switch (mail.kind) {
    case 'notice':
      return mail.notice.tenant.id;
    case 'checkpoint':
      return mail.checkpoint.tenant.id;
    case 'destination':
      return mail.destination.tenant.id;
  }
}

async function performJob(job: AttemptJob, ports: Ports): Promise<AttemptOutcome> {
  const { tenantId, runId, stepId, idempotencyKey, timeoutMs, lost } = job;
  const call = { tenantId, runId, stepId, idempotencyKey, timeoutMs, lost, now: Date.now() };
  const { action, input, event, approved } = job;
  return await performAttempt({ action, input, event, call, approved }, ports);
}

function portsOf(env: Env, job: AttemptJob): Ports {
  return openPorts(env, job.tenantId, job.connections, gateOf(env, job));
}

/**
 * Only keys of disabled destinations come with a job, so its tenant is asked for few of them. At the
 * first attempt a disabled destination ends the step; a run that waits for its next attempt waits on
 * until a probe may have found the destination well.
 */
function gateOf(env: Env, { tenantId, disabled, attempt }: AttemptJob): DestinationGate {
  return async (destination) => {
    if (disabled.length === 0 || !disabled.includes(destinationKey(destination))) return null;
    const answer = await tenantObject(env, tenantId).admitToDestination(destination);
    if (answer.allowed) return null;
    const { retryAt } = answer;
    if (retryAt === null || attempt === 1) return { retryAfterMs: null };
    const spread = Math.round((1 + Math.random()) * PROBE_MS);
    return { retryAfterMs: Math.max(retryAt - Date.now(), 0) + spread };
  };
}

/** One of each workflow, then the next of each: what one of them talks to is not all that is begun. */
function byTurns(seeds: readonly Seed[]): Seed[] {
  const nthOf = new Map<string, number>();
  const turns: Seed[][] = [];
  for (const seed of seeds) {
    const nth = nthOf.get(seed.workflow.id) ?? 0;
    nthOf.set(seed.workflow.id, nth + 1);
    const turn = turns[nth] ?? [];
    turns[nth] = turn;
    turn.push(seed);
  }
  return turns.flat();
}

/** A run that cannot be driven goes into an object of its own, so that it troubles no other. */
async function tryToDrive(env: Env, seed: Seed, lent: TenantContext): Promise<Driven> {
  const { runId } = seed;
  try {
    return { runId, report: await driveRun(env, seed, lent) };
  } catch (error) {
    logError({ what: 'drive_failed', tenantId: seed.tenant.id, runId }, error);
    return { runId, report: null };
  }
}

/**
 * Drives one run until it is done, has to remember something (a retry, a gate) or takes long: a
 * Worker may run on for 30 seconds after its answer. The tenant then moves it into an object, which
 * performs the attempts that were started last. Attempts are not written down before they are made,
 * and a crash repeats them under the same key: one whose port honours no key is left to the object.
 */
async function driveRun(env: Env, seed: Seed, lent: TenantContext): Promise<RunReport> {
  let context = await contextNow(env, seed, lent);
  let plan = planBy(seed, context);
  let { run, entries } = start(plan, Date.now());
  const history = [...entries];
  const begun = Date.now();
  for (;;) {
    const jobs = jobsOf(plan, run, entries, context).map((job) => ({
      job,
      ports: portsOf(env, job),
    }));
    const late = Date.now() - begun > PATIENCE_MS;
    const unsafe = jobs.some(({ job, ports }) => !isRepeatable(job.action, ports));
    if (jobs.length === 0 || late || unsafe || isSettled(run)) return reportOf(seed, run, history);
    const outcomes = await Promise.all(
      jobs.map(async ({ job, ports }) => ({ job, outcome: await performJob(job, ports) })),
    );
    context = await contextNow(env, seed, context);
    plan = planBy(seed, context);
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

/** What the tenant said may have been long on its way: then no gate opens by it. */
function planBy(seed: Seed, context: TenantContext): Plan {
  return planOf(seed, context.policy, isCurrent(context, Date.now()));
}

/** A gate opens by the policy of that moment. */
async function contextNow(env: Env, seed: Seed, known: TenantContext): Promise<TenantContext> {
  return isCurrent(known, Date.now()) ? known : await tenantObject(env, seed.tenant.id).context();
}
