/** A tenant's members. A removed one stays as a row, for the record is about people. */
import type { Delegation, Member, MemberCreate, MemberUpdate } from '../contract/members.ts';
import type { Page } from '../contract/pages.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import { ERASED } from '../engine/audit-parts.ts';
import { type Change, changed, unchanged } from './change.ts';
import type { Delegations } from './delegations.ts';

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS members (
    id TEXT PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, removed_at TEXT) WITHOUT ROWID`,
  `CREATE UNIQUE INDEX IF NOT EXISTS live_members_by_email ON members (email)
    WHERE removed_at IS NULL`,
];
type Row = {
  id: string;
  email: string;
  name: string;
  role: Member['role'];
  created_at: string;
  updated_at: string;
  removed_at: string | null;
};

export const MEMBERS_MAX = 1_000;

export class Members {
  readonly #sql: SqlStorage;
  readonly #delegations: Delegations;

  constructor(sql: SqlStorage, delegations: Delegations) {
    this.#sql = sql;
    this.#delegations = delegations;
    for (const statement of SCHEMA) sql.exec(statement);
  }

  create(id: string, { name, email, role }: MemberCreate, at: string): Change<Member> {
    if (this.findLive(email) !== null)
      return refusal('conflict', `There is a member with the email ${email} already.`);
    if (this.#sql.exec<{ n: number }>('SELECT count(*) AS n FROM members').one().n >= MEMBERS_MAX)
      return refusal('limit_reached', `A tenant has at most ${MEMBERS_MAX} members.`);
    this.#sql.exec(
      `INSERT INTO members (id, email, name, role, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?)`,
      id,
      email,
      name,
      role,
      at,
      at,
    );
    const times = { createdAt: at, updatedAt: at, removedAt: null };
    const made = { id, name, email, role, ...times, delegation: null };
    return changed(made, 'member.created', { type: 'member', id }, { role });
  }

  update({ id, name, role }: MemberUpdate, at: string): Change<Member> {
    const current = this.find(id);
    if (current === null || current.removedAt !== null) return noSuchMember();
    const next = { ...current, name: name ?? current.name, role: role ?? current.role };
    if (next.name === current.name && next.role === current.role) return unchanged(current);
    this.#sql.exec(
      'UPDATE members SET name = ?, role = ?, updated_at = ? WHERE id = ?',
      next.name,
      next.role,
      at,
      id,
    );
    const data = { role: next.role, formerRole: current.role };
    return changed({ ...next, updatedAt: at }, 'member.updated', { type: 'member', id }, data);
  }

  /** Their keys stop with them, at the next request; their delegation is for its owner to end. */
  remove(id: string, at: string): Change<Member> {
    const current = this.find(id);
    if (current === null) return noSuchMember();
    if (current.removedAt !== null) return unchanged(current);
    this.#sql.exec('UPDATE members SET removed_at = ?, updated_at = ? WHERE id = ?', at, at, id);
    const { role } = current;
    const removed = { ...current, removedAt: at, updatedAt: at, delegation: null };
    return changed(removed, 'member.removed', { type: 'member', id }, { role });
  }

  /** Who they were is forgotten; the id stays, for the record of what they did holds it. */
  erase(id: string): void {
    this.#sql.exec(
      'UPDATE members SET name = ?1, email = ?1 WHERE id = ?2 AND removed_at IS NOT NULL',
      ERASED,
      id,
    );
  }

  /** Ids of those, removed ones too, of whom something holds. */
  idsWhere(holds: (member: Member) => boolean): string[] {
    return this.#sql
      .exec<Row>('SELECT * FROM members ORDER BY id')
      .toArray()
      .map((row) => memberOf(row, null))
      .flatMap((member) => (holds(member) ? [member.id] : []));
  }

  find(id: string): Member | null {
    const row = this.#sql.exec<Row>('SELECT * FROM members WHERE id = ?', id).toArray()[0];
    return row === undefined ? null : this.#withDelegation(row);
  }

  /** The member who signs in with an email. */
  findLive(email: string): Member | null {
    const row = this.#sql
      .exec<Row>('SELECT * FROM members WHERE email = ? AND removed_at IS NULL', email)
      .toArray()[0];
    return row === undefined ? null : this.#withDelegation(row);
  }

  live(): Member[] {
    const rows = this.#sql.exec<Row>('SELECT * FROM members WHERE removed_at IS NULL ORDER BY id');
    return this.#withDelegations(rows.toArray());
  }

  /** Newest first, after an id. */
  list({ limit, after }: Page): Member[] {
    const rows = this.#sql.exec<Row>(
      "SELECT * FROM members WHERE id < ifnull(?1, '~') ORDER BY id DESC LIMIT ?2",
      after,
      limit,
    );
    return this.#withDelegations(rows.toArray());
  }

  #withDelegation(row: Row): Member {
    return memberOf(row, this.#delegations.of(row.id, new Date().toISOString()));
  }

  #withDelegations(rows: readonly Row[]): Member[] {
    const delegations = this.#delegations.all(new Date().toISOString());
    return rows.map((row) => memberOf(row, delegations.get(row.id) ?? null));
  }
}

export function noSuchMember(): Refusal {
  return refusal('not_found', 'There is no such member.');
}

function memberOf(row: Row, delegation: Delegation | null): Member {
  const { id, name, email, role } = row;
  const times = { createdAt: row.created_at, updatedAt: row.updated_at, removedAt: row.removed_at };
  return { id, name, email, role, ...times, delegation };
}
