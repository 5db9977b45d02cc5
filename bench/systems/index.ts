/** The systems that are compared, the product first. Those that a measure asks for are started. */
import { startN8n } from './n8n.ts';
import { startProduct } from './product.ts';
import { startRestate } from './restate.ts';
import type { System } from './system.ts';
import { startWorkflows } from './workflows.ts';

export const PRODUCT = 'Signalbox';
const STARTS: Readonly<Record<string, (sinkUrl: string) => Promise<System>>> = {
  [PRODUCT]: startProduct,
  'Cloudflare Workflows': startWorkflows,
  Restate: startRestate,
  n8n: startN8n,
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

  /** Starts those that do not run. A peer that cannot be started is no failure of the bench. */
  async all(): Promise<System[]> {
    for (const [name, start] of Object.entries(STARTS))
      if (!this.#running.has(name) && !this.#missing.has(name)) await this.#start(name, start);
    return NAMES.flatMap((name) => this.#running.get(name) ?? []);
  }

  /** Ends one that has failed: what it has left undone would disturb its next turn. */
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

  async #start(name: string, start: (sinkUrl: string) => Promise<System>): Promise<void> {
    try {
      const system = await start(this.#sinkUrl);
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
