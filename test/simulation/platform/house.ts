/** One deployment of the product in a world: its objects, its stores, its Workers; as saved, or new. */
import { SimulatedD1 } from './d1.ts';
import { type EntrypointClass, endInvocations, exportsOf, start } from './invocations.ts';
import { exchange } from './messages.ts';
import { Namespace, type ObjectClass, type SimulatedObject } from './objects.ts';
import { SimulatedR2 } from './r2.ts';
import type { SavedStorage } from './storage.ts';
import type { World } from './world.ts';

/** `src/worker.ts`. */
export interface Product {
  readonly TenantObject: ObjectClass;
  readonly RunObject: ObjectClass;
  readonly Executor: EntrypointClass;
  readonly default: {
    fetch(request: Request, env: object, ctx: object): Promise<Response>;
    scheduled(event: { scheduledTime: number }, env: object): Promise<void>;
  };
}

export interface SavedHouse {
  readonly tenants: ReadonlyMap<string, SavedStorage>;
  readonly runs: ReadonlyMap<string, SavedStorage>;
  readonly d1: Uint8Array;
}

export type Variables = Readonly<Record<string, string>>;

/** Who looks on. Called while nothing is being written. */
export interface Watch {
  tenantWritten(object: SimulatedObject): void;
  runWritten(object: SimulatedObject): void;
  logWritten(): void;
}

/** What a client is told; null: nothing, or not in time. */
export interface Reply {
  readonly status: number;
  readonly text: string;
  /** What the text says, if it is a JSON object. */
  readonly body: unknown;
}

export class House {
  readonly tenants: Namespace;
  readonly runs: Namespace;
  readonly d1: SimulatedD1;
  watch: Watch | null = null;
  readonly #world: World;
  readonly #product: Product;
  readonly #env: object;

  constructor(world: World, product: Product, saved: SavedHouse, variables: Variables) {
    this.#world = world;
    this.#product = product;
    this.d1 = new SimulatedD1(world, saved.d1);
    this.d1.written = () => this.watch?.logWritten();
    const exported = exportsOf(
      world,
      () => product.Executor,
      () => this.#env,
    );
    const setting = { world, env: () => this.#env, exports: () => exported };
    const committed = (tell: 'tenantWritten' | 'runWritten') => (object: SimulatedObject) =>
      this.watch?.[tell](object);
    this.tenants = new Namespace(
      { ...setting, committed: committed('tenantWritten') },
      product.TenantObject,
    );
    this.runs = new Namespace(
      { ...setting, committed: committed('runWritten') },
      product.RunObject,
    );
    const { tenants: TENANTS, runs: RUNS, d1: DB } = this;
    this.#env = { ...variables, TENANTS, RUNS, DB, EXPORTS: new SimulatedR2(world) };
    for (const [name, storage] of saved.tenants) this.tenants.put(name, storage);
    for (const [name, storage] of saved.runs) this.runs.put(name, storage);
  }

  objects(): SimulatedObject[] {
    return [...this.tenants.all(), ...this.runs.all()];
  }

  /** Asks the Worker over the network. Resolves with null when that does not answer. */
  async request(
    method: string,
    path: string,
    init: Omit<RequestInit, 'method'>,
  ): Promise<Reply | null> {
    const { fetch } = this.#product.default;
    const answered = exchange(this.#world, `${method} ${path}`, (answer) => {
      const request = new Request(`https://api.test${path}`, { ...init, method });
      const work = async (waitUntil: (work: Promise<unknown>) => void) => {
        const response = await fetch(request, this.#env, { waitUntil });
        return { status: response.status, text: await response.text() };
      };
      start(this.#world, `${method} ${path}`, null, work, answer);
    });
    try {
      return replyOf(await answered);
    } catch {
      return null;
    }
  }

  /** The cron comes. */
  async sweep(): Promise<void> {
    const { scheduled } = this.#product.default;
    const event = { scheduledTime: this.#world.wall() };
    const swept = exchange(this.#world, 'sweep', (answer) =>
      start(this.#world, 'sweep', null, () => scheduled(event, this.#env), answer),
    );
    await swept.catch(() => undefined);
  }

  /** Every process is gone. */
  crashAll(): void {
    for (const object of this.objects()) object.crash();
    endInvocations(this.#world);
  }

  save(): SavedHouse {
    const saved = (namespace: Namespace) =>
      new Map(namespace.all().map(({ name, storage }) => [name, storage.save()]));
    return { tenants: saved(this.tenants), runs: saved(this.runs), d1: this.d1.save() };
  }

  close(): void {
    for (const { storage } of this.objects()) storage.close();
    this.d1.close();
  }
}

function replyOf(answered: unknown): Reply | null {
  if (typeof answered !== 'object' || answered === null) return null;
  if (!('status' in answered) || !('text' in answered)) return null;
  const [status, text] = [Number(answered.status), String(answered.text)];
  const isOne = text.startsWith('{') && !text.includes('\n{');
  return { status, text, body: isOne ? JSON.parse(text) : null };
}
