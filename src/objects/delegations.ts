/**
 * Who may decide in whose place, and until when: one stand-in for each member at a time. The row only
 * names two people; what the right is worth is told by the member's own role at the moment of a vote,
 * and whether the vote counts by the engine.
 */
import type { Delegation } from '../contract/members.ts';

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS delegations (
    member_id TEXT PRIMARY KEY, to_id TEXT NOT NULL, from_at TEXT NOT NULL,
    until_at TEXT NOT NULL) WITHOUT ROWID`,
  'CREATE INDEX IF NOT EXISTS delegations_by_stand_in ON delegations (to_id)',
];
type Row = { member_id: string; to_id: string; from_at: string; until_at: string };

export class Delegations {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    for (const statement of SCHEMA) sql.exec(statement);
  }

  /** In the place of the one before, if there was one. */
  put(memberId: string, { to, from, until }: Delegation): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO delegations (member_id, to_id, from_at, until_at)
       VALUES (?, ?, ?, ?)`,
      memberId,
      to,
      from,
      until,
    );
  }

  remove(memberId: string): void {
    this.#sql.exec('DELETE FROM delegations WHERE member_id = ?', memberId);
  }

  /** A member leaves: nobody stands in for them, and they for nobody. */
  forget(memberId: string): void {
    this.#sql.exec('DELETE FROM delegations WHERE member_id = ?1 OR to_id = ?1', memberId);
  }

  /** In force at a time, or to come. */
  of(memberId: string, at: string): Delegation | null {
    const row = this.#sql
      .exec<Row>('SELECT * FROM delegations WHERE member_id = ? AND until_at > ?', memberId, at)
      .toArray()[0];
    return row === undefined ? null : delegationOf(row);
  }

  /** The same of everybody, by who is away. */
  all(at: string): ReadonlyMap<string, Delegation> {
    const rows = this.#sql.exec<Row>('SELECT * FROM delegations WHERE until_at > ?', at).toArray();
    return new Map(rows.map((row) => [row.member_id, delegationOf(row)]));
  }

  /** Those in whose place a member may decide at a time. */
  membersBehind(standIn: string, at: string): string[] {
    return this.#sql
      .exec<Pick<Row, 'member_id'>>(
        `SELECT member_id FROM delegations
         WHERE to_id = ?1 AND from_at <= ?2 AND until_at > ?2 ORDER BY member_id`,
        standIn,
        at,
      )
      .toArray()
      .map((row) => row.member_id);
  }
}

function delegationOf(row: Row): Delegation {
  return { to: row.to_id, from: row.from_at, until: row.until_at };
}
