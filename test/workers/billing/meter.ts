/**
 * Counts what the platform bills, by its own counters: requests to objects (calls by a stub, alarms)
 * and rows written by objects and D1, with indexes, deletes and alarms. It hooks into the bindings'
 * own classes, so nothing of the product knows of it.
 * https://developers.cloudflare.com/durable-objects/platform/pricing/
 */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { RunObject } from '../../../src/objects/run.ts';
import { TenantObject } from '../../../src/objects/tenant.ts';

export interface Billed {
  /** How often each was called. */
  readonly requests: Record<string, number>;
  /** How many rows each wrote: the first words of a statement, or what was called. */
  readonly rows: Record<string, number>;
}

let billed: Billed = { requests: {}, rows: {} };
let isHooked = false;

/** What was billed while `work` and all that it set off went on. */
export async function billedFor(work: () => Promise<void>): Promise<Billed> {
  if (!isHooked) await hookIn();
  isHooked = true;
  const own = { requests: {}, rows: {} };
  billed = own;
  await work();
  billed = { requests: {}, rows: {} };
  return own;
}

export function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function note(counts: Record<string, number>, what: string, count = 1): void {
  if (count > 0) counts[what] = (counts[what] ?? 0) + count;
}

async function hookIn(): Promise<void> {
  await runInDurableObject(env.TENANTS.getByName('t:meter'), (_, { storage }) => {
    const [kv, sql] = [storage.kv, storage.sql].map(Object.getPrototypeOf);
    hookStorage(Object.getPrototypeOf(storage), kv, sql);
  });
  hookD1(Object.getPrototypeOf(env.DB));
  hookNamespaces(Object.getPrototypeOf(env.TENANTS));
  for (const kind of [TenantObject, RunObject])
    replace(
      kind.prototype,
      'alarm',
      (alarm) =>
        function (this: object) {
          note(billed.requests, 'alarm');
          return Reflect.apply(alarm, this, []);
        },
    );
}

type Method = (...args: never[]) => unknown;

/** Puts another method in the place of one. */
function replace(owner: object, name: string, made: (original: Method) => Method): void {
  const original: Method = Reflect.get(owner, name);
  Object.defineProperty(owner, name, { value: made(original), configurable: true, writable: true });
}

function hookStorage(storage: object, kv: object, sql: object): void {
  replace(
    sql,
    'exec',
    (exec) =>
      function (this: object, ...args: readonly [string, ...unknown[]]) {
        const cursor: { rowsWritten: number } = Reflect.apply(exec, this, args);
        note(billed.rows, `object: ${wordsOf(args[0])}`, cursor.rowsWritten);
        return cursor;
      },
  );
  const others = [
    [kv, ['put', 'delete']],
    [storage, ['setAlarm', 'deleteAlarm', 'deleteAll']],
  ] as const;
  for (const [owner, name] of others.flatMap(([owner, names]) =>
    names.map((name) => [owner, name] as const),
  ))
    replace(
      owner,
      name,
      (original) =>
        function (this: object, ...args: readonly unknown[]) {
          note(billed.rows, `object: ${name}`);
          return Reflect.apply(original, this, args);
        },
    );
}

function hookD1(d1: object): void {
  replace(
    d1,
    'batch',
    (batch) =>
      async function (this: object, statements: readonly D1PreparedStatement[]) {
        const results: readonly D1Result[] = await Reflect.apply(batch, this, [statements]);
        for (const [index, { meta }] of results.entries())
          note(billed.rows, `d1: ${wordsOf(textOf(statements[index]))}`, meta.rows_written);
        return results;
      },
  );
}

/** Each call of a method of a stub is one request to its object. */
function hookNamespaces(namespaces: object): void {
  replace(
    namespaces,
    'getByName',
    (getByName) =>
      function (this: object, ...args: readonly unknown[]) {
        const stub: object = Reflect.apply(getByName, this, args);
        return new Proxy(stub, {
          get(target, name) {
            const member: unknown = Reflect.get(target, name);
            if (typeof member !== 'function') return member;
            return (...called: readonly unknown[]) => {
              note(billed.requests, String(name));
              return Reflect.apply(member, target, called);
            };
          },
        });
      },
  );
}

function textOf(statement: object | undefined): string {
  return statement !== undefined && 'statement' in statement ? String(statement.statement) : '';
}

function wordsOf(statement: string): string {
  return statement.replace(/\s+/g, ' ').trim().split(' ').slice(0, 3).join(' ');
}
