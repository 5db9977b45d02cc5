/**
 * Everybody who does something at once: senders, people at their inboxes, admins who change things, and
 * watchers. Each does the same again and again, with a pause, until it is to end.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Caller } from './caller.ts';
import { type Chance, chanceOf } from './chance.ts';
import { Decider } from './deciders.ts';
import { Editor } from './editors.ts';
import { Sender } from './senders.ts';
import type { Shop } from './shop.ts';
import type { Setting } from './stage.ts';
import type { Story } from './story.ts';
import { Watcher } from './watcher.ts';

const PLATFORM_TOKEN = 'e2e-platform-token-0123456789abcdef';

export interface Players {
  /** Nothing new is begun; what waits is decided on. */
  finish(): Promise<void>;
  end(): Promise<void>;
}

export function startPlayers(
  origin: string,
  receivers: string,
  shops: readonly Shop[],
  story: Story,
  { seed, senders, pauseMs, patienceMs }: Setting,
): Players {
  const caller = new Caller(origin, story, patienceMs);
  const chance = chanceOf(seed + 1);
  const beginning = new Circle();
  const deciding = new Circle();
  for (const shop of shops) {
    const orders: string[] = [];
    const url = `${receivers}/${shop.id}/steady`;
    for (let n = 0; n < senders; n++) {
      const sender = new Sender(shop, caller, story, chance.branch(), orders);
      beginning.add(() => sender.sendOnce(), pauseMs);
    }
    const branch: Chance = chance.branch();
    const editor = new Editor({ shop, caller, chance: branch, platformToken: PLATFORM_TOKEN, url });
    beginning.add(() => editor.editOnce(), 250);
    const watcher = new Watcher(shop, caller, story, chance.branch());
    beginning.add(() => watcher.lookOnce(), 200);
    for (let n = 0; n < 2; n++) {
      const decider = new Decider(shop, caller, chance.branch());
      deciding.add(async () => void (await decider.decideSome()), 50);
    }
  }
  return {
    finish: () => beginning.end(),
    end: () => deciding.end(),
  };
}

/** Players who do the same thing again and again, each with a pause, until they are to end. */
export class Circle {
  readonly #playing: Promise<void>[] = [];
  #isOver = false;

  add(play: () => Promise<void>, pauseMs: number): void {
    this.#playing.push(
      (async () => {
        while (!this.#isOver) {
          await play();
          await pause(pauseMs);
        }
      })(),
    );
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#playing);
  }
}
