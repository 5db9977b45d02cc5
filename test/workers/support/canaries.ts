/**
 * Every secret that the tests of a file had to do with is looked for where none may be: in the log, in
 * the databases, in the tenants' objects, in files, and in every answer but the one that shows it once.
 * setup.ts does so after each file, so that it holds for the whole suite.
 */
import { listDurableObjectIds, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { databasesOf } from '../../../src/db/databases.ts';
import { rowsOf, tablesOf } from './tables.ts';

/** What is shorter may stand somewhere by chance. */
const LENGTH_MIN = 16;
/** The fields of requests and answers in which secrets come and go. */
const SECRET_FIELD =
  /"(?:secret|apiKey|signingSecret|signingKey|webhookSecret|adminToken|apiToken)":"([^"\\]+)"/g;
/** They show a secret, once. */
const SHOWING = /\/(?:create|rotate)$|^\/api\/session/;
const OBJECTS_MAX = 40;
const LEVELS = ['debug', 'log', 'info', 'warn', 'error'] as const;

export class Canaries {
  readonly #secrets = new Set([env.PLATFORM_TOKEN, env.KEY_SECRET, env.SEAL_KEY, env.AUDIT_KEY]);
  readonly #lines: string[] = [];
  readonly #found: string[] = [];

  /** Keeps what is logged from now on. @returns ends that */
  watchLog(): () => void {
    const sink = console;
    const printed = LEVELS.map((level) => {
      const print = sink[level];
      sink[level] = (...told: unknown[]) => {
        this.#lines.push(told.map(String).join(' '));
        print.apply(sink, told);
      };
      return () => {
        sink[level] = print;
      };
    });
    return () => {
      for (const restore of printed) restore();
    };
  }

  /** Takes note of the secrets of a request and of its answer, and of those that it should not show. */
  note(path: string, sent: string, status: number, text: string): void {
    const [route = ''] = path.split('?');
    if (status < 300) this.#learn(sent);
    if (status < 300 && SHOWING.test(route)) this.#learn(text);
    else this.#look(`an answer of ${route}`, text);
  }

  /** Where secrets were found that should not be there. */
  async leaks(): Promise<readonly string[]> {
    this.#look('the log', this.#lines.join('\n'));
    await this.#lookInDatabases();
    for (const { key } of (await env.EXPORTS.list()).objects)
      this.#look(`file ${key}`, (await (await env.EXPORTS.get(key))?.text()) ?? '');
    for (const id of (await listDurableObjectIds(env.TENANTS)).slice(0, OBJECTS_MAX))
      await runInDurableObject(env.TENANTS.get(id), (_, { storage }) => {
        for (const [table, rows] of rowsOf(storage))
          this.#look(`${table} of a tenant`, JSON.stringify(rows));
      });
    return this.#found;
  }

  async #lookInDatabases(): Promise<void> {
    for (const database of databasesOf(env))
      for (const name of await tablesOf(database)) {
        const { results } = await database.prepare(`SELECT * FROM "${name}"`).all();
        this.#look(`table ${name}`, JSON.stringify(results));
      }
  }

  #learn(text: string): void {
    for (const [, secret = ''] of text.matchAll(SECRET_FIELD))
      if (secret.length >= LENGTH_MIN) this.#secrets.add(secret);
  }

  #look(where: string, text: string): void {
    for (const secret of this.#secrets)
      if (secret !== undefined && text.includes(secret))
        this.#found.push(`${where}: ${secret.slice(0, 12)}…`);
  }
}

/** Those of the test file. */
export const canaries = new Canaries();
