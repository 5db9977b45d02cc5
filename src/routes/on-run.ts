/** Reading a run, and asking its object: a run may be on its way into one, or have left it. */
import { refusal } from '../contract/problems.ts';
import type { Run } from '../contract/runs.ts';
import { type FoundRun, findRun } from '../db/find-runs.ts';
import { type Claim, refusedClaim } from '../engine/approval.ts';
import { type RunState, replay, viewRun } from '../engine/state.ts';
import type { Env } from '../env.ts';
import type { Answer } from '../http/route.ts';
import { call, tenantObject } from '../objects/index.ts';
import type { RunAnswer } from '../objects/run.ts';

export const noSuchRun = () => refusal('not_found', 'There is no such run.');

/** The run as its entries tell it; null for none of this tenant's. */
export async function readRun(env: Env, tenantId: string, id: string): Promise<Run | null> {
  const found = (await findRun(env.DB, tenantId, id)) ?? (await findOnceTold(env, tenantId, id));
  if (found === null) return null;
  const state = replay(id, found.entries);
  return state === undefined ? unbegun(found) : viewFound(found, state);
}

/** The answer to an event tells the ids of its runs before the log has them. */
async function findOnceTold(env: Env, tenantId: string, id: string): Promise<FoundRun | null> {
  await call(() => tenantObject(env, tenantId).deliverRun(id));
  return await findRun(env.DB, tenantId, id);
}

function unbegun({ item, retryOf, retriedBy }: FoundRun): Run {
  return { ...item, retryOf, retriedBy, steps: [], approvals: [], timeline: [] };
}

function viewFound({ entries, retriedBy }: FoundRun, state: RunState): Run {
  return { ...viewRun(state, entries), retriedBy };
}

/**
 * Asks the run's object. One that does not know the run may not have been given it yet; a run that
 * never needed an object, or has left it, is told from the log: what its object would say of a claim,
 * its entries say too. `claim`: null for what asks for no approval; `isRepeatable`: see `call`.
 */
export async function askRun(
  env: Env,
  tenantId: string,
  runId: string,
  claim: Claim | null,
  ask: () => Promise<RunAnswer>,
  isRepeatable = true,
): Promise<RunAnswer> {
  let answer = await call(ask, isRepeatable);
  if (isUnknown(answer)) {
    await tenantObject(env, tenantId).deliverRun(runId);
    answer = await call(ask, isRepeatable);
  }
  return isUnknown(answer) ? await answerFromLog(env, tenantId, runId, claim) : answer;
}

/** The same, as a route's answer. */
export async function onRun(...asked: Parameters<typeof askRun>): Promise<Answer> {
  const answer = await askRun(...asked);
  return answer.ok ? { body: { run: answer.run } } : answer;
}

/** Not an approval that the run does not have: then the answer shows the run. */
function isUnknown(answer: RunAnswer): boolean {
  return !answer.ok && answer.code === 'not_found' && answer.run === undefined;
}

async function answerFromLog(
  env: Env,
  tenantId: string,
  runId: string,
  claim: Claim | null,
): Promise<RunAnswer> {
  const found = await findRun(env.DB, tenantId, runId);
  if (found === null) return noSuchRun();
  const state = replay(runId, found.entries);
  if (state === undefined) {
    const run = unbegun(found);
    return { ...refusal('conflict', 'The run has not begun. Ask again in a moment.'), run };
  }
  const run = viewFound(found, state);
  if (claim === null) return { ...refusal('run_finished', `The run is ${run.status}.`), run };
  const { code, detail } = refusedClaim(state, claim);
  return { ...refusal(code, detail), run };
}
