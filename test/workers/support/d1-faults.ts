/**
 * D1 that fails, for the Worker and all objects at once: what they call is the same runtime's code.
 * Its errors are those that the platform documents, and those that SQLite has.
 */
import { env } from 'cloudflare:workers';

/** What happens around a call of the database; `work` makes it. */
export type Around = (work: () => Promise<unknown>) => Promise<unknown>;
type Undo = () => void;

/** https://developers.cloudflare.com/d1/observability/debug-d1/ has those of the platform. */
export const D1_ERRORS = [
  'D1_ERROR: Network connection lost.',
  'D1_ERROR: D1 DB is overloaded. Requests queued for too long.',
  'D1_ERROR: D1 DB is overloaded. Too many requests queued.',
  'D1_ERROR: D1 DB reset because its code was updated.',
  'D1_ERROR: Internal error while starting up D1 DB storage caused object to be reset.',
  'D1_ERROR: Internal error in D1 DB storage caused object to be reset.',
  'D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.',
  'D1_ERROR: Cannot resolve D1 DB due to transient issue on remote node.',
  'D1_ERROR: D1 DB exceeded its memory limit and was reset.',
  'D1_ERROR: database is locked: SQLITE_BUSY',
  'D1_ERROR: database or disk is full: SQLITE_FULL',
  // The runtime's word for a fault of its own: it tells no more.
  'internal error; reference = 0kondbqsn107307naioo9u0v',
] as const;

/** While `work` is done, every call of D1 goes through `around`. */
export async function withD1<Value>(around: Around, work: () => Promise<Value>): Promise<Value> {
  const statement = Object.getPrototypeOf(env.DB.prepare('SELECT 1'));
  const undo = [
    ...['first', 'run', 'all', 'raw'].map((name) => wrap(statement, name, around)),
    ...['batch', 'exec'].map((name) => wrap(Object.getPrototypeOf(env.DB), name, around)),
  ];
  try {
    return await work();
  } finally {
    for (const one of undo) one();
  }
}

function wrap(prototype: object, name: string, around: Around): Undo {
  const original: unknown = Reflect.get(prototype, name);
  if (typeof original !== 'function') throw new Error(`D1 has no ${name}`);
  Reflect.set(prototype, name, function (this: unknown, ...given: unknown[]) {
    return around(async () => await Reflect.apply(original, this, given));
  });
  return () => void Reflect.set(prototype, name, original);
}

/** Every call, and nothing of it is done. */
export function failing(message: string): Around {
  return async () => {
    throw new Error(message);
  };
}

/** Of three calls one is done, one fails, and one is done and fails all the same: nobody hears of it. */
export function failingSometimes(chance: () => number): Around {
  return async (work) => {
    const luck = chance();
    if (luck < 1 / 3) throw new Error(D1_ERRORS[0]);
    const done = await work();
    if (luck < 2 / 3) throw new Error(D1_ERRORS[6]);
    return done;
  };
}

/** No call is answered while `work` is done; what was asked meanwhile is done after it. */
export async function withoutAnswers<Value>(work: () => Promise<Value>): Promise<Value> {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const around: Around = async (call) => {
    await held;
    return await call();
  };
  try {
    return await withD1(around, work);
  } finally {
    release();
  }
}
