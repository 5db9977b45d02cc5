/**
 * Stateless Workers: each call has an invocation of its own, which may die at any moment, and ends half a
 * minute after its answer at the latest. https://developers.cloudflare.com/workers/runtime-apis/context/
 */
import { type Answer, connectionLost, errorOf, exchange, invoke, stubOf } from './messages.ts';
import type { Actor, World } from './world.ts';

/** How long `waitUntil` keeps an invocation after its answer. */
const AFTER_ANSWER_MS = 30_000;

export class Invocation implements Actor {
  readonly name: string;
  readonly skew: number;
  readonly isMortal = true;
  isAlive = true;
  /** What it was called for: what those who look on ask for. */
  readonly job: unknown;
  readonly #answer: Answer;

  constructor(world: World, name: string, job: unknown, answer: Answer) {
    this.name = name;
    this.job = job;
    this.#answer = answer;
    this.skew = skewOf(world);
  }

  commit(): void {}

  die(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#answer({ ok: false, error: connectionLost('the Worker died') });
  }
}

/** The clocks of machines differ a little. */
export function skewOf({ chance }: World): number {
  return chance.between(-100, 100);
}

const living = new WeakMap<World, Set<Invocation>>();

/** Every invocation that there is dies. */
export function endInvocations(world: World): void {
  for (const invocation of living.get(world) ?? []) invocation.die();
  living.delete(world);
}

/** Runs in an invocation of its own, from within a happening. */
export function start(
  world: World,
  name: string,
  job: unknown,
  work: (waitUntil: (work: Promise<unknown>) => void) => Promise<unknown>,
  answer: Answer,
): void {
  const invocation = new Invocation(world, name, job, answer);
  const others = living.get(world) ?? new Set();
  living.set(world, others.add(invocation));
  world.enter(invocation);
  const over = (outcome: Parameters<Answer>[0]) =>
    world.send(() => {
      answer(outcome);
      world.later(AFTER_ANSWER_MS, `${name} is over`, () => {
        invocation.isAlive = false;
        others.delete(invocation);
      });
    });
  const waitUntil = (background: Promise<unknown>) => void background.catch(() => undefined);
  Promise.resolve()
    .then(() => work(waitUntil))
    .then(
      (value) => over({ ok: true, value }),
      (error) => over({ ok: false, error: errorOf(error) }),
    );
}

export type EntrypointClass = new (ctx: object, env: object) => object;

/** `ctx.exports`, with the entrypoint that the product has. @param env asked for at each call */
export function exportsOf(
  world: World,
  Executor: () => EntrypointClass,
  env: () => object,
): object {
  const call = (method: string, given: readonly unknown[]) =>
    exchange(world, `Executor.${method}`, (answer) => {
      const work = (waitUntil: (work: Promise<unknown>) => void) => {
        const ctx = { waitUntil, exports: exportsOf(world, Executor, env) };
        return invoke(new (Executor())(ctx, env()), method, given).then((value) =>
          structuredClone(value),
        );
      };
      start(world, `Executor.${method}`, { method, given }, work, answer);
    });
  return { Executor: stubOf(call) };
}
