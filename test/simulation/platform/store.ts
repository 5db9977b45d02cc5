/** A store beside the objects (D1, R2): each call may be refused, done without a word, or slow. */
import { connectionLost, latency, SIMULATED } from './messages.ts';
import type { World } from './world.ts';

/** A store that does not answer gives up after about so long. */
const SLOW_MAX_MS = 20_000;

/** Until when (simulated time) the stores of a world are down. */
const downUntil = new WeakMap<World, number>();

export function takeStoresDown(world: World, ms: number): void {
  downUntil.set(world, Math.max(downUntil.get(world) ?? 0, world.now + ms));
}

export function bringStoresBack(world: World): void {
  downUntil.set(world, 0);
}

export function askStore<T>(world: World, what: string, work: () => T): Promise<T> {
  const caller = world.current;
  return new Promise((resolve, reject) => {
    const hear = (delay: number, how: string, tell: () => void) =>
      world.later(delay, `${what} ${how}`, tell, caller);
    const refuse = (why: string) => {
      world.count(`${what}: ${why}`);
      const error = new Error(`${what}_ERROR: Network connection lost (${SIMULATED}: ${why}).`);
      hear(latency(world), why, () => reject(error));
    };
    world.send(() => {
      const { chance, weather } = world;
      const delay = chance.happens(weather.storeSlow)
        ? chance.next() * SLOW_MAX_MS
        : latency(world);
      world.later(delay, what, () => {
        if ((downUntil.get(world) ?? 0) > world.now) return refuse('down');
        if (chance.happens(weather.storeRefuses)) return refuse('refused');
        try {
          const made = work();
          if (chance.happens(weather.storeUnheard)) refuse('done, and not heard');
          else hear(latency(world), 'answered', () => resolve(made));
        } catch (error) {
          hear(latency(world), 'failed', () => reject(error ?? connectionLost(what)));
        }
      });
    });
  });
}
