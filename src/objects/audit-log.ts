/**
 * Appends to a tenant's audit chain, inside the caller's transaction: gap-free, one writer (I5). The
 * object keeps the head of the chain alone, in one row: entries leave by the outbox in the transaction
 * that makes them, so a head without its entry cannot exist. With the head go O(log n) hashes of the
 * Merkle tree (RFC 6962), so that the root, and a proof that it goes on from the last checkpoint, are
 * there at once.
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
 */
const SCHEMA = `CREATE TABLE IF NOT EXISTS audit_head (
  one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL,
  tree TEXT NOT NULL, recent TEXT NOT NULL, recent_from INTEGER NOT NULL, waiting_since INTEGER)`;
type Row = {
  seq: number;
  hash: string;
  tree: string;
  recent: string;
  recent_from: number;
  waiting_since: number | null;
};

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

  /** @param keep takes each subtree to the read model, in the transaction of the entry that ends it */
  constructor(sql: SqlStorage, tenantId: string, keep: (subtree: Subtree) => void) {
    this.#sql = sql;
    this.#tenantId = tenantId;
    this.#keep = keep;
    sql.exec(SCHEMA);
  }

  /** Links a fact into the chain. `at` is when it was decided, in RFC 3339 UTC. */
  append(fact: AuditFact, at: string): AuditEntry {
    const { size, hash, tree, recent, waitingSince } = this.head();
    const told = { seq: size + 1, id: newId('aud'), at, ...fact, prevHash: hash };
    const entry = link(withPrivate(told, privatePathsOf(fact), newSalt));
    const leaf = leafHash(entry.hash);
    this.#put({
      size: entry.seq,
      hash: entry.hash,
      tree: appendToSpan(tree, leaf, (level, place, hash) => {
        if (isKept(level)) this.#keep({ level, place, hash });
      }),
      recent: appendToSpan(recent, leaf),
      waitingSince: waitingSince ?? Date.now(),
    });
    return entry;
  }

  head(): AuditHead {
    const row = this.#sql.exec<Row>('SELECT * FROM audit_head').toArray()[0];
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
    const rows = this.#sql
      .exec<Pick<Row, 'waiting_since'>>('SELECT waiting_since FROM audit_head')
      .toArray();
    return rows[0]?.waiting_since ?? null;
  }

  /** A checkpoint was signed over all entries that there are. */
  checkpointed(): void {
    const head = this.head();
    this.#put({ ...head, recent: emptySpan(head.size), waitingSince: null });
  }

  #put({ size, hash, tree, recent, waitingSince }: AuditHead): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO audit_head (one, seq, hash, tree, recent, recent_from, waiting_since)
       VALUES (1, ?, ?, ?, ?, ?, ?)`,
      size,
      hash,
      JSON.stringify(tree.hashes),
      JSON.stringify(recent.hashes),
      recent.begin,
      waitingSince,
    );
  }
}
