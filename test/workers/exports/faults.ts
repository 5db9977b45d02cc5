/** A database and a bucket whose every call can be held up, or fails in each way in which one can. */
import type { ExportStores } from '../../../src/ports/export-slice.ts';

type Method = (...given: unknown[]) => unknown;
/** What happens around a call; `work` makes it. */
type Around = <Value>(name: string, work: () => Promise<Value>) => Promise<Value>;

/** The stores, with something around each of their calls. */
export function watched(real: ExportStores, around: Around): ExportStores {
  const originals = new WeakMap<object, D1PreparedStatement>();
  const on = <Target extends object>(
    target: Target,
    names: readonly string[],
    instead: Readonly<Record<string, Method>> = {},
  ): Target =>
    new Proxy(target, {
      get(_, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function' || typeof name !== 'string') return value;
        const method = instead[name] ?? ((...given) => Reflect.apply(value, target, given));
        if (!names.includes(name)) return method;
        return (...given: unknown[]) => around(name, async () => await method(...given));
      },
    });
  const upload = (made: R2MultipartUpload) => on(made, ['uploadPart', 'complete', 'abort']);
  const { db, bucket } = real;
  const statement = (made: D1PreparedStatement): D1PreparedStatement => {
    const proxy = on(made, ['all', 'raw', 'run', 'first'], {
      bind: (...given) => statement(made.bind(...given)),
    });
    originals.set(proxy, made);
    return proxy;
  };
  const original = (proxy: object) => {
    const made = originals.get(proxy);
    if (made === undefined) throw new Error('not a statement of this database');
    return made;
  };
  return {
    db: on(db, ['batch'], {
      prepare: (text) => statement(db.prepare(String(text))),
      batch: (list) => db.batch(Array.isArray(list) ? list.map(original) : []),
    }),
    bucket: on(bucket, ['get', 'head', 'put', 'delete', 'list', 'createMultipartUpload'], {
      createMultipartUpload: async (...given) =>
        upload(await Reflect.apply(bucket.createMultipartUpload, bucket, given)),
      resumeMultipartUpload: (...given) =>
        upload(Reflect.apply(bucket.resumeMultipartUpload, bucket, given)),
    }),
  };
}

/**
 * `refused`: the call does nothing. `unheard`: it is carried out, but no answer comes. After both, later
 * calls work. `dead`: it is carried out, and nothing comes after it: the process has died.
 */
export const FAULTS = ['refused', 'unheard', 'dead'] as const;
export type Fault = (typeof FAULTS)[number];

/** Stores whose n-th call fails. */
export class FaultyStores {
  readonly stores: ExportStores;
  /** What the call that failed was; empty before. */
  failed = '';
  #calls = 0;

  constructor(real: ExportStores, failAt: number, fault: Fault) {
    this.stores = watched(real, async (name, work) => {
      this.#calls += 1;
      if (this.#calls > failAt && fault === 'dead') throw new Error('dead');
      if (this.#calls !== failAt) return await work();
      this.failed = `call ${failAt}, ${name}`;
      if (fault !== 'refused') await consumed(await work());
      throw new Error(`${this.failed}: ${fault}`);
    });
  }
}

/** The runtime complains of a body that nobody reads. */
async function consumed(answer: unknown): Promise<void> {
  if (answer instanceof Object && 'body' in answer && answer.body instanceof ReadableStream)
    for await (const _ of answer.body);
}
