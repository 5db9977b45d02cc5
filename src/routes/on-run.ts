/** Reading a run, and asking its object: a run may be on its way into one, or may never need one. */
import { type Refusal, refusal } from '../contract/problems.ts';
import type { Run } from '../contract/runs.ts';
import { findRun } from '../db/runs.ts';
import { replay, viewRun } from '../engine/state.ts';
import type { Env } from '../env.ts';
import type { Answer } from '../http/route.ts';
import { call, tenantObject } from '../objects/index.ts';
import type { RunAnswer } from '../objects/run.ts';

/** The code for a run that has no object any more, when there was something to decide. */
export type Ended = 'run_finished' | 'approval_decided';

export const noSuchRun = () => refusal('not_found', 'There is no such run.');

/** The run as its entries tell it; null for none of this tenant's. */
export async function readRun(env: Env, tenantId: string, id: string): Promise<Run | null> {
  const found = await findRun(env.DB, tenantId, id);
  if (found === null) return null;
  const state = replay(id, found.entries);
  return state === undefined
    ? { ...found.item, steps: [], approvals: [], timeline: [] }
    : viewRun(state, found.entries);
}

/**
 * Asks the run's object. One that does not know the run may not have been given it yet; a run that
 * never needed an object, or has left it, is told from the log.
 */
export async function askRun(
  env: Env,
  tenantId: string,
  runId: string,
  ended: Ended,
  ask: () => Promise<RunAnswer>,
): Promise<RunAnswer> {
  let answer = await call(ask);
  if (!answer.ok && answer.code === 'not_found' && answer.run === undefined) {
    await tenantObject(env, tenantId).deliverRun(runId);
    answer = await call(ask);
  }
  if (answer.ok || answer.code !== 'not_found' || answer.run !== undefined) return answer;
  const run = await readRun(env, tenantId, runId);
  return run === null ? noSuchRun() : alreadyEnded(run, ended);
}

/** The same, as a route's answer. */
export async function onRun(...asked: Parameters<typeof askRun>): Promise<Answer> {
  const answer = await askRun(...asked);
  return answer.ok ? { body: { run: answer.run } } : answer;
}

function alreadyEnded(run: Run, ended: Ended): Refusal & { run: Run } {
  const code = run.approvals.length > 0 ? ended : 'run_finished';
  return { ...refusal(code, `The run is ${run.status}.`), run };
}
