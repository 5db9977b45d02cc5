/** Appends to a tenant's audit chain, inside the caller's transaction: gap-free, one writer (I5). */
import type { AuditEntry, AuditFact } from '../contract/audit.ts';
import { genesisHash, link } from '../engine/chain.ts';
import { newId } from '../ids.ts';

const SCHEMA = `CREATE TABLE IF NOT EXISTS audit_head (
  one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL)`;
type Row = { seq: number; hash: string };

/**
 * The object keeps the head of the chain alone: entries leave by the outbox in the transaction that
 * makes them, so a head without its entry cannot exist.
 */
export class AuditLog {
  readonly #sql: SqlStorage;
  readonly #tenantId: string;

  constructor(sql: SqlStorage, tenantId: string) {
    this.#sql = sql;
    this.#tenantId = tenantId;
    sql.exec(SCHEMA);
  }

  /** Links a fact into the chain. `at` is when it was decided, in RFC 3339 UTC. */
  append(fact: AuditFact, at: string): AuditEntry {
    const head = this.#sql.exec<Row>('SELECT seq, hash FROM audit_head').toArray()[0];
    const entry = link({
      seq: (head?.seq ?? 0) + 1,
      id: newId('aud'),
      at,
      ...fact,
      prevHash: head?.hash ?? genesisHash(this.#tenantId),
    });
    this.#sql.exec(
      'INSERT OR REPLACE INTO audit_head (one, seq, hash) VALUES (1, ?, ?)',
      entry.seq,
      entry.hash,
    );
    return entry;
  }
}
