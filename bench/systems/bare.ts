/** The bare runtime as a system of the bench: bench/peers/bare on workerd. */
import { ask } from '../support/ask.ts';
import { post, type StartedOnWorkerd, startOnWorkerd } from './on-workerd.ts';
import { inParts, LAST_OF_ROUND, orderCreated, type System } from './system.ts';

const OPENED_AT_ONCE = 50;

export async function startBare(sinkUrl: string): Promise<System> {
  const started = await startOnWorkerd('bare', sinkUrl);
  await ask(`${started.origin}/setup`, { body: {} });
  return bareTenant(started, 'bench');
}

/** One of its tenants, as a system. */
export function bareTenant(started: StartedOnWorkerd, tenant: string): System {
  const { origin, running, version, stop } = started;
  const shown = async (ids: readonly string[]): Promise<string[]> =>
    await ask(`${origin}/shown`, { body: ids });
  return {
    ...{ origin, running, version, stop },
    name: 'Bare runtime',
    part: 1,
    isNewEachTurn: false,
    events: ({ ids }, perPost) =>
      inParts(ids, perPost).map((part) =>
        post('/orders', { tenant, events: part.map(orderCreated) }, part),
      ),
    async decisions({ ids }) {
      for (const part of inParts(ids, OPENED_AT_ONCE)) await ask(`${origin}/gated`, { body: part });
      return ids.map((id) => post('/decide', { id }, [id]));
    },
    isDone: async ({ ids }) => {
      const last = ids.slice(-LAST_OF_ROUND);
      return (await shown(last)).length === last.length;
    },
    succeeded: ({ ids }) => shown(ids),
  };
}
