/**
 * The outside world, to which webhooks go: receivers that take them, refuse them, die before or after
 * taking them, or say nothing at all. What arrives, and while whose work, is told to the world's ear.
 */
import { exchange, latency, SIMULATED } from './messages.ts';
import type { Actor, World } from './world.ts';

/** A request that has arrived at a receiver. */
export interface Arrival {
  readonly url: string;
  readonly webhookId: string;
  readonly body: string;
  /** Who sent it. */
  readonly from: Actor | null;
}

const ears = new WeakMap<World, (arrival: Arrival) => void>();

export function listen(world: World, ear: (arrival: Arrival) => void): void {
  ears.set(world, ear);
}

/** The global `fetch`. */
export function receive(here: () => World) {
  return async (url: string, init: RequestInit = {}): Promise<Response> => {
    const world = here();
    const from = world.current;
    const headers = new Headers(init.headers);
    const webhookId = headers.get('webhook-id') ?? '';
    const arrival = { url, webhookId, body: String(init.body ?? ''), from };
    const answered = exchange(world, `POST ${url}`, (answer) => {
      const fate = fateOf(world);
      const refuse = (why: string) =>
        answer({ ok: false, error: new Error(`${SIMULATED}: ${why}`) });
      if (fate === 'dead') return refuse('nobody is there');
      ears.get(world)?.(arrival);
      if (fate === 'dies') return refuse('it died after taking it');
      if (fate === 'silent') return;
      world.later(latency(world), 'the receiver answers', () => answer({ ok: true, value: fate }));
    });
    const { signal } = init;
    const given = await Promise.race([answered, ...(signal ? [aborted(signal)] : [])]);
    const status = Number(given);
    const retryAfter = status === 429 ? { 'retry-after': '20' } : {};
    return new Response(status === 200 ? 'taken' : 'no', { status, headers: retryAfter });
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function fateOf({ chance, weather }: World): number | 'dead' | 'dies' | 'silent' {
  if (!chance.happens(weather.receiverFails)) return 200;
  return chance.oneOf([500, 503, 429, 'dead', 'dies', 'silent']);
}
