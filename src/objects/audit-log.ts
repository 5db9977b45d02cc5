/**
 * Appends to a tenant's audit chain, inside the caller's transaction: gap-free, one writer (I5). The
 * object keeps the head of the chain alone, in one row, with the parcel that takes the last entries to
 * the read model (parcels.ts): both are written at once, so a head without its entry cannot exist. With
 * the head go O(log n) hashes of the Merkle tree (RFC 6962), so that the root, and a proof that it goes
 * on from the last checkpoint, are there at once.
 */
import type { AuditEntry, AuditFact } from '../contract/audit.ts';
import { withPrivate } from '../engine/audit-parts.ts';
import { genesisHash, link } from '../engine/chain.ts';
import { leafHash } from '../engine/merkle.ts';
import { isKept, type Subtree } from '../engine/merkle-kept.ts';
import { appendToSpan, emptySpan, type Span } from '../engine/merkle-span.ts';
import { newId } from '../ids.ts';
import { newSalt, privatePathsOf } from './audit-privacy.ts';

/**
 * `tree`: hashes of the span of all entries. `recent`: of the span since the last checkpoint, which
 * begins at `recent_from`. `waiting_since`: when the first of those was appended, in milliseconds.
 * `parcel`: what left last, with those entries or after them.
 */
const SCHEMA = `CREATE TABLE IF NOT EXISTS audit_head (
  one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL,
  tree TEXT NOT NULL, recent TEXT NOT NULL, recent_from INTEGER NOT NULL, waiting_since INTEGER,
  parcel TEXT NOT NULL)`;
type Row = {
  seq: number;
  hash: string;
  tree: string;
  recent: string;
  recent_from: number;
  waiting_since: number | null;
};
const COLUMNS = 'seq, hash, tree, recent, recent_from, waiting_since';

/** Where the chain is. */
export interface AuditHead {
  /** How many entries there are. */
  readonly size: number;
  /** The hash of the last one; the genesis hash before the first. */
  readonly hash: string;
  readonly tree: Span;
  /** The entries since the last checkpoint. */
  readonly recent: Span;
  /** When the first of them was appended (milliseconds); null when there is none. */
  readonly waitingSince: number | null;
}

export class AuditLog {
  readonly #sql: SqlStorage;
  readonly #tenantId: string;
  readonly #keep: (subtree: Subtree) => void;
  /** With entries that have not left yet, in the transaction that appends them. */
  #grown: AuditHead | null = null;
  /** The parcel that stands with the head, as long as it may not have been told. */
  #untold: string | null;
  #waitingSince: number | null;

  /** @param keep takes each subtree to the read model, in the transaction of the entry that ends it */
  constructor(sql: SqlStorage, tenantId: string, keep: (subtree: Subtree) => void) {
    this.#sql = sql;
    this.#tenantId = tenantId;
    this.#keep = keep;
    sql.exec(SCHEMA);
    const row = sql
      .exec<Pick<Row, 'waiting_since'> & { parcel: string }>(
        'SELECT waiting_since, parcel FROM audit_head',
      )
      .toArray()[0];
    this.#untold = row?.parcel ?? null;
    this.#waitingSince = row?.waiting_since ?? null;
  }

  /**
   * Links a fact into the chain. `at` is when it was decided, in RFC 3339 UTC. The entry has to leave with
   * a parcel in the same transaction.
   */
  append(fact: AuditFact, at: string): AuditEntry {
    const { size, hash, tree, recent, waitingSince } = this.head();
    const told = { seq: size + 1, id: newId('aud'), at, ...fact, prevHash: hash };
    const entry = link(withPrivate(told, privatePathsOf(fact), newSalt));
    const leaf = leafHash(entry.hash);
    this.#grown = {
      size: entry.seq,
      hash: entry.hash,
      tree: appendToSpan(tree, leaf, (level, place, hash) => {
        if (isKept(level)) this.#keep({ level, place, hash });
      }),
      recent: appendToSpan(recent, leaf),
      waitingSince: waitingSince ?? Date.now(),
    };
    return entry;
  }

  /** What was appended leaves with a parcel, which takes the place of the one before with the head. */
  leave(parcel: string): void {
    this.#put(this.head(), parcel);
    this.#grown = null;
    this.#untold = parcel;
  }

  /** The parcel that stands with the head; null once it was told. */
  untold(): string | null {
    return this.#untold;
  }

  /** The read model has it. Kept in memory alone: telling it twice is fine. */
  told(parcel: string): void {
    if (this.#untold === parcel) this.#untold = null;
  }

  /** At the end of a transaction. Throws when an entry would be in the chain and nowhere else. */
  assertLeft(): void {
    if (this.#grown !== null) throw new Error('an audit entry has not left');
  }

  head(): AuditHead {
    if (this.#grown !== null) return this.#grown;
    const row = this.#sql.exec<Row>(`SELECT ${COLUMNS} FROM audit_head`).toArray()[0];
    if (row === undefined) {
      const [hash, none] = [genesisHash(this.#tenantId), emptySpan(0)];
      return { size: 0, hash, tree: none, recent: none, waitingSince: null };
    }
    const { seq, hash, recent_from: from } = row;
    const tree = { begin: 0, end: seq, hashes: JSON.parse(row.tree) };
    const recent = { begin: from, end: seq, hashes: JSON.parse(row.recent) };
    return { size: seq, hash, tree, recent, waitingSince: row.waiting_since };
  }

  /** Since when an entry waits for a checkpoint (milliseconds); null when none does. */
  waitingSince(): number | null {
    return this.#waitingSince;
  }

  /** A checkpoint was signed over all entries that there are. */
  checkpointed(): void {
    const { size } = this.head();
    const none = emptySpan(size);
    this.#waitingSince = null;
    this.#sql.exec(
      'UPDATE audit_head SET recent = ?, recent_from = ?, waiting_since = NULL',
      JSON.stringify(none.hashes),
      none.begin,
    );
  }

  #put({ size, hash, tree, recent, waitingSince }: AuditHead, parcel: string): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO audit_head (one, ${COLUMNS}, parcel) VALUES (1, ?, ?, ?, ?, ?, ?, ?)`,
      size,
      hash,
      JSON.stringify(tree.hashes),
      JSON.stringify(recent.hashes),
      recent.begin,
      waitingSince,
      parcel,
    );
    this.#waitingSince = waitingSince;
  }
}
