/**
 * Kills the product at random moments, as `kill -9` does: the runtime alone, which is started again by
 * itself, or every process of it, which we start again; and now and then once more while it starts.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { killNow, workerdOf } from '../e2e/support/processes.ts';
import { BY_SERVE, type Place, type Server, startServer } from '../e2e/support/server.ts';
import { until } from '../e2e/support/wait.ts';
import type { Chance } from './chance.ts';
import type { Kill, Story } from './story.ts';

/** One in so many kills takes everything, such as the fourth last. */
const EVERY = 8;
const QUICK_MS = 300;
/** The first request after a start may wait behind everything that everybody repeats. */
const ANSWER_MS = 30_000;
const BACK_MS = 180_000;
const LINES_KEPT = 200;

export class Killer {
  readonly #place: Place;
  readonly #story: Story;
  readonly #chance: Chance;
  #server: Server;
  /** What servers that are gone have written last. */
  #written: string[] = [];

  constructor(place: Place, server: Server, story: Story, chance: Chance) {
    this.#place = place;
    this.#server = server;
    this.#story = story;
    this.#chance = chance;
  }

  server(): Server {
    return this.#server;
  }

  lastLines(): string[] {
    const { stdout, stderr } = this.#server;
    const last = [...this.#written, ...stdout.slice(-LINES_KEPT), ...stderr.slice(-LINES_KEPT)];
    return last.slice(-2 * LINES_KEPT);
  }

  /** So many kills, spread by chance over the time (milliseconds). */
  async killAll(kills: number, overMs: number): Promise<void> {
    const endAt = Date.now() + overMs;
    for (let left = kills; left > 0; left--) {
      const share = Math.max(endAt - Date.now(), 0) / left;
      const isQuick = left < kills && this.#chance.happens(0.12);
      await pause(isQuick ? this.#chance.between(0, QUICK_MS) : 2 * share * this.#chance.next());
      if (left % EVERY === EVERY / 2) await this.#killEverything();
      else await this.#killRuntime();
    }
    await this.#untilBack();
  }

  async #killRuntime(): Promise<void> {
    const runtime = await until('a runtime to kill', () => {
      const running = workerdOf(this.#server.pid);
      return running.length > 0 && running;
    });
    this.#note('runtime');
    killNow(runtime);
    void this.#untilBack();
  }

  async #killEverything(): Promise<void> {
    this.#note('all');
    await this.#server.killAll();
    this.#written = this.lastLines();
    this.#server = await startServer(this.#place, ['--no-demo'], BY_SERVE);
    await this.#untilBack();
  }

  #note(what: Kill['what']): void {
    this.#story.kills.push({ at: Date.now(), what, backAt: null });
  }

  /** Notes when the last kill is over: not of one that another one came after. */
  async #untilBack(): Promise<void> {
    const at = this.#story.kills.length - 1;
    const killed = this.#story.kills[at];
    if (killed === undefined || killed.backAt !== null) return;
    const isOver = () => this.#story.kills.length - 1 > at;
    const isBack = async () => isOver() || (await this.#isHealthy());
    await until('the product to be back', isBack, BACK_MS);
    if (!isOver()) this.#story.kills[at] = { ...killed, backAt: Date.now() };
  }

  async #isHealthy(): Promise<boolean> {
    const signal = AbortSignal.timeout(ANSWER_MS);
    return (await fetch(`${this.#server.origin}/api/health`, { signal })).ok;
  }
}
