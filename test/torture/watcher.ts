/** Looks at runs while everything goes on, and keeps what it saw: nothing of it may change later. */
import * as z from 'zod';
import { isFinal, run, runItem } from '../../src/contract/runs.ts';
import type { Caller } from './caller.ts';
import type { Chance } from './chance.ts';
import type { Shop } from './shop.ts';
import type { Story } from './story.ts';

const items = z.object({ items: z.array(runItem) });
const one = z.object({ run });
const LOOKS = 6;

export class Watcher {
  readonly #shop: Shop;
  readonly #caller: Caller;
  readonly #story: Story;
  readonly #chance: Chance;

  constructor(shop: Shop, caller: Caller, story: Story, chance: Chance) {
    this.#shop = shop;
    this.#caller = caller;
    this.#story = story;
    this.#chance = chance;
  }

  /** Some of the newest runs: those that have ended in the list are kept as they are then. */
  async lookOnce(): Promise<void> {
    const { keys, id: tenantId } = this.#shop;
    const path = '/api/admin/workflow-runs';
    const newest = await this.#caller.read(keys.viewer, `${path}?limit=100`, items);
    const fresh = (newest?.items ?? []).filter(({ id }) => !this.#hasEnded(id));
    for (const { id } of fresh.filter(() => this.#chance.happens(0.2)).slice(0, LOOKS)) {
      const read = await this.#caller.read(keys.viewer, `${path}/get?id=${id}`, one);
      if (read !== null) this.#story.sightings.set(id, { tenantId, run: read.run });
    }
  }

  #hasEnded(id: string): boolean {
    const seen = this.#story.sightings.get(id);
    return seen !== undefined && isFinal(seen.run.status);
  }
}
