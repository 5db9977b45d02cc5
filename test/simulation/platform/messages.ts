/**
 * A message to somebody else and its answer, over a network that may lose either, or take its time. The
 * caller cannot tell a request that was lost from an answer that was.
 */
import type { Actor, World } from './world.ts';

export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: Error };

/** Called once with what became of it; later calls change nothing. */
export type Answer = (outcome: Outcome) => void;

/** Every error that the simulation makes has one of these words in it. */
export const SIMULATED = 'simulated';

/** https://developers.cloudflare.com/durable-objects/best-practices/error-handling/ */
export function connectionLost(what: string): Error {
  return Object.assign(new Error(`Network connection lost (${SIMULATED}: ${what}).`), {
    retryable: true,
  });
}

export function latency({ chance, weather }: World): number {
  if (chance.happens(weather.slow)) return 50 + chance.next() * 5_000;
  return 0.2 + chance.next() * 8;
}

/**
 * Sends at the end of the turn. @param deliver hands it over; it is answered by what it is given
 */
export function exchange(
  world: World,
  what: string,
  deliver: (answer: Answer) => void,
): Promise<unknown> {
  const caller: Actor | null = world.current;
  return new Promise((resolve, reject) => {
    const hear = (outcome: Outcome) =>
      world.later(
        latency(world),
        `${what} answered${outcome.ok ? '' : ` ${outcome.error.message}`}`,
        () => (outcome.ok ? resolve(outcome.value) : reject(outcome.error)),
        caller,
      );
    world.send(() => {
      if (world.chance.happens(world.weather.requestLost)) {
        world.count('requests lost');
        hear({ ok: false, error: connectionLost('request') });
        return;
      }
      const answer = once((outcome) => {
        if (!world.chance.happens(world.weather.answerLost)) return hear(outcome);
        world.count('answers lost');
        hear({ ok: false, error: connectionLost('answer') });
      });
      world.later(latency(world), what, () => deliver(answer));
    });
  });
}

function once(answer: Answer): Answer {
  let isAnswered = false;
  return (outcome) => {
    if (isAnswered) return;
    isAnswered = true;
    answer(outcome);
  };
}

/** Calls a method of an object by its name, and tells what became of it. */
export function invoke(
  target: object,
  method: string,
  given: readonly unknown[],
): Promise<unknown> {
  const found: unknown = Reflect.get(target, method);
  if (typeof found !== 'function') throw new Error(`there is no method ${method}`);
  return Promise.resolve().then(() => Reflect.apply(found, target, given));
}

/** An error as it comes through a call. */
export function errorOf(thrown: unknown): Error {
  const { name, message, cause } = thrown instanceof Error ? thrown : new Error(String(thrown));
  const options = cause instanceof Error ? { cause: errorOf(cause) } : {};
  return Object.assign(new Error(message, options), { name, remote: true });
}

/** A stub: whatever is called on it is sent. */
export function stubOf(
  call: (method: string, given: readonly unknown[]) => Promise<unknown>,
): object {
  return new Proxy(
    {},
    {
      get: (_target, method) =>
        typeof method === 'string' && method !== 'then'
          ? (...given: unknown[]) => call(method, structuredClone(given))
          : undefined,
    },
  );
}
