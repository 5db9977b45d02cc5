/** Cloudflare Workflows as a system of the bench: bench/peers/workflows on workerd. */
import { ask } from '../support/ask.ts';
import { pause } from '../support/clock.ts';
import type { LoadRequest } from '../support/load-job.ts';
import { post, startOnWorkerd } from './on-workerd.ts';
import { inParts, LAST_OF_ROUND, orderCreated, type Round, type System } from './system.ts';

const STATUSES_AT_ONCE = 100;

export async function startWorkflows(sinkUrl: string): Promise<System> {
  const started = await startOnWorkerd('workflows', sinkUrl);
  const { origin } = started;
  return {
    ...started,
    name: 'Cloudflare Workflows',
    // All of the files of a turn's instances are open at its end, and a process may have so many.
    part: 0.5,
    isNewEachTurn: true,
    events: ({ ids }, perPost) =>
      inParts(ids, perPost).map((part) => post('/orders', part.map(orderCreated), part)),
    decisions: (round) => prepareDecisions(origin, round),
    isDone: async ({ kind, ids }) => {
      const last = ids.slice(-LAST_OF_ROUND);
      return (await complete(origin, kind, last)).length === last.length;
    },
    async succeeded({ kind, ids }) {
      const all = [];
      for (const part of inParts(ids, STATUSES_AT_ONCE))
        all.push(...(await complete(origin, kind, part)));
      return all;
    },
  };
}

async function prepareDecisions(origin: string, { ids }: Round): Promise<LoadRequest[]> {
  for (const part of inParts(ids, STATUSES_AT_ONCE)) await ask(`${origin}/gated`, { body: part });
  await pause(2_000); // The local runtime says `running` of an instance that waits.
  return ids.map((id) => post('/decide', { id }, [id]));
}

/** Which of the instances are complete. */
async function complete(
  origin: string,
  kind: Round['kind'],
  ids: readonly string[],
): Promise<string[]> {
  return await ask(`${origin}/complete?kind=${kind}`, { body: ids });
}
