/** R2, as far as checkpoints use it: whole objects in, and whether they are there. */
import { askStore } from './store.ts';
import type { World } from './world.ts';

export class SimulatedR2 {
  readonly #world: World;
  readonly #kept = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
  }

  async put(key: string, body: string): Promise<object> {
    return await askStore(this.#world, 'R2', () => {
      this.#kept.set(key, body);
      return { key };
    });
  }

  async head(key: string): Promise<object | null> {
    return await askStore(this.#world, 'R2', () => (this.#kept.has(key) ? { key } : null));
  }
}
