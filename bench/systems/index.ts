/** The systems that are compared, the product first. Those that a measure asks for are started. */
import { startBare } from './bare.ts';
import { startN8n } from './n8n.ts';
import { startProduct } from './product.ts';
import { startRestate } from './restate.ts';
import type { System } from './system.ts';
import { startWorkflows } from './workflows.ts';

export const PRODUCT = 'Signalbox';
export const BARE = 'Bare runtime';
const STARTS: Readonly<Record<string, (sinkUrl: string) => Promise<System>>> = {
  [PRODUCT]: startProduct,
  'Cloudflare Workflows': startWorkflows,
  Restate: startRestate,
  n8n: startN8n,
  [BARE]: startBare,
};
export const NAMES = Object.keys(STARTS);

/** The systems that run, held still unless it is their turn. */
export class SharedSystems {
  readonly #sinkUrl: string;
  readonly #running = new Map<string, System>();
  readonly #versions = new Map<string, string>();
  readonly #missing = new Map<string, string>();

  constructor(sinkUrl: string) {
    this.#sinkUrl = sinkUrl;
  }

  /** Started when it does not run; null for a peer that cannot be, which is no failure of the bench. */
  async running(name: string): Promise<System | null> {
    if (!this.#running.has(name) && !this.#missing.has(name)) await this.#start(name);
    return this.#running.get(name) ?? null;
  }

  /** Ends one: what it has left behind would disturb its next turn. */
  async end(system: System): Promise<void> {
    this.#running.delete(system.name);
    await system.stop();
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#running.values()].map((system) => this.end(system)));
  }

  /** What was measured, and why the others were not. */
  facts(): string[] {
    return [
      ...[...this.#versions].map(([name, version]) => `${name} ${version}`),
      ...[...this.#missing].map(([name, reason]) => `${name} was not measured: ${reason}`),
    ];
  }

  async #start(name: string): Promise<void> {
    try {
      const system = await STARTS[name]?.(this.#sinkUrl);
      if (system === undefined) throw new Error('no such system');
      system.running.hold();
      this.#running.set(name, system);
      this.#versions.set(name, system.version);
    } catch (error) {
      if (name === PRODUCT) throw error;
      const [first = '', ...more] = String(error).split('\n');
      console.error(`${name} cannot be measured: ${first}\n${more.join('\n')}`);
      this.#missing.set(name, first);
    }
  }
}
