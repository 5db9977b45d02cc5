/** A tenant's API keys: digests, roles, last use. The secrets themselves are nowhere. */
import type { KeyRole } from '../contract/json.ts';
import type { Page } from '../contract/pages.ts';
import { refusal } from '../contract/problems.ts';
import type { ApiKey } from '../contract/tenants.ts';
import { ERASED } from '../engine/audit-parts.ts';
import { logError } from '../log.ts';
import { type Change, changed, unchanged } from './change.ts';

const SCHEMA = `CREATE TABLE IF NOT EXISTS api_keys (
  digest TEXT PRIMARY KEY, id TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, member_id TEXT,
  prefix TEXT NOT NULL, created_at TEXT NOT NULL, last_used_at TEXT, revoked_at TEXT) WITHOUT ROWID`;
type Row = {
  digest: string;
  id: string;
  name: string;
  role: KeyRole;
  member_id: string | null;
  prefix: string;
  created_at: string;
  last_used_at: string | null;
  revoked_at: string | null;
};

/** A key as the Worker minted it: with its digest, without its secret. */
export interface MintedKey {
  readonly id: string;
  readonly name: string;
  readonly role: KeyRole;
  readonly memberId: string | null;
  readonly prefix: string;
  readonly digest: string;
}

export const KEYS_MAX = 1_000;
/** Last use is kept to the hour, so that reading costs no write. */
const LAST_USE_GRAIN_MS = 3_600_000;

export class ApiKeys {
  readonly #sql: SqlStorage;
  /** Live keys that were used, by digest, as their rows stand: every change of a row forgets them. */
  readonly #used = new Map<string, ApiKey>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  create(key: MintedKey, at: string): Change<ApiKey> {
    if (this.#count('') >= KEYS_MAX)
      return refusal('limit_reached', `A tenant has at most ${KEYS_MAX} keys.`);
    const { id, name, role, memberId } = key;
    const target = { type: 'api_key', id };
    return changed(this.add(key, at), 'api_key.created', target, { name, role, memberId });
  }

  /** Saying it twice is fine. The last admin key stays: nobody could make another. */
  revoke(id: string, at: string): Change<ApiKey> {
    const row = this.#sql.exec<Row>('SELECT * FROM api_keys WHERE id = ?', id).toArray()[0];
    if (row === undefined) return refusal('not_found', 'There is no such key.');
    const key = keyOf(row);
    if (key.revokedAt !== null) return unchanged(key);
    if (key.role === 'admin' && this.#count(`WHERE role = 'admin' AND revoked_at IS NULL`) === 1)
      return refusal('conflict', 'It is the last admin key. Make another one first.');
    this.#sql.exec('UPDATE api_keys SET revoked_at = ? WHERE id = ?', at, id);
    this.#used.clear();
    const { name, role } = key;
    const target = { type: 'api_key', id };
    return changed({ ...key, revokedAt: at }, 'api_key.revoked', target, { name, role });
  }

  #count(where: '' | `WHERE ${string}`): number {
    return this.#sql.exec<{ n: number }>(`SELECT count(*) AS n FROM api_keys ${where}`).one().n;
  }

  add({ digest, ...key }: MintedKey, at: string): ApiKey {
    this.#sql.exec(
      `INSERT INTO api_keys (digest, id, name, role, member_id, prefix, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      digest,
      key.id,
      key.name,
      key.role,
      key.memberId,
      key.prefix,
      at,
    );
    return { ...key, createdAt: at, lastUsedAt: null, revokedAt: null };
  }

  /** The live key of a digest; notes its use. */
  use(digest: string, now: number): ApiKey | null {
    const key = this.#used.get(digest) ?? this.#findUsable(digest);
    if (key === null) return null;
    this.#used.set(digest, key);
    const { lastUsedAt } = key;
    if (lastUsedAt === null || now - Date.parse(lastUsedAt) >= LAST_USE_GRAIN_MS)
      this.#noteUse(digest, now);
    return key;
  }

  #findUsable(digest: string): ApiKey | null {
    const row = this.#sql
      .exec<Row>('SELECT * FROM api_keys WHERE digest = ? AND revoked_at IS NULL', digest)
      .toArray()[0];
    return row === undefined ? null : keyOf(row);
  }

  /** A storage that is full keeps nobody from reading, and from making room. */
  #noteUse(digest: string, now: number): void {
    try {
      this.#sql.exec(
        'UPDATE api_keys SET last_used_at = ? WHERE digest = ?',
        new Date(now - (now % LAST_USE_GRAIN_MS)).toISOString(),
        digest,
      );
      this.#used.delete(digest);
    } catch (error) {
      logError({ what: 'key_use_failed' }, error);
    }
  }

  /** The key of an id, unless it was revoked. */
  findLive(id: string): ApiKey | null {
    const row = this.#sql
      .exec<Row>('SELECT * FROM api_keys WHERE id = ? AND revoked_at IS NULL', id)
      .toArray()[0];
    return row === undefined ? null : keyOf(row);
  }

  /** Whether a digest is a live frontend key's. Its use is not noted: anyone may use it. */
  isFrontend(digest: string): boolean {
    return (
      this.#sql
        .exec(
          `SELECT 1 FROM api_keys WHERE digest = ? AND role = 'frontend' AND revoked_at IS NULL`,
          digest,
        )
        .toArray().length > 0
    );
  }

  /** Null for other keys, and for what is no key. */
  frontendDigestOf(id: string): string | null {
    const row = this.#sql
      .exec<Pick<Row, 'digest'>>(
        `SELECT digest FROM api_keys WHERE id = ? AND role = 'frontend'`,
        id,
      )
      .toArray()[0];
    return row?.digest ?? null;
  }

  /** The ids of a member's keys, revoked ones too. */
  idsOf(memberId: string): string[] {
    return this.#sql
      .exec<Pick<Row, 'id'>>('SELECT id FROM api_keys WHERE member_id = ?', memberId)
      .toArray()
      .map(({ id }) => id);
  }

  /** Ids of the keys of whose name something holds. */
  idsWhere(holds: (name: string) => boolean): string[] {
    return this.#sql
      .exec<Pick<Row, 'id' | 'name'>>('SELECT id, name FROM api_keys')
      .toArray()
      .flatMap(({ id, name }) => (holds(name) ? [id] : []));
  }

  /** People give keys their own names. */
  eraseNames(memberId: string): void {
    this.#sql.exec('UPDATE api_keys SET name = ? WHERE member_id = ?', ERASED, memberId);
    this.#used.clear();
  }

  /** Newest first, after an id. */
  list({ limit, after }: Page): ApiKey[] {
    return this.#sql
      .exec<Row>(
        'SELECT * FROM api_keys WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2',
        after,
        limit,
      )
      .toArray()
      .map(keyOf);
  }
}

function keyOf(row: Row): ApiKey {
  const { id, name, role, prefix } = row;
  return {
    id,
    name,
    role,
    memberId: row.member_id,
    prefix,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  };
}
