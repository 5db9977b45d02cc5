/** How often a vendor sent a topic that is not translated: an operator's first question. */
import type { ConnectionKind } from '../contract/connections.ts';

const SCHEMA = `CREATE TABLE IF NOT EXISTS ignored_topics (
  kind TEXT NOT NULL, topic TEXT NOT NULL, count INTEGER NOT NULL, last_at TEXT NOT NULL,
  PRIMARY KEY (kind, topic)) WITHOUT ROWID`;
type Row = { topic: string; count: number; last_at: string };

const TOPICS_MAX = 100;

export class IgnoredTopics {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  /** The vendor's signature has been verified; still, only so many topics are told apart. */
  count(kind: ConnectionKind, topic: string, at: string): void {
    const known = this.list(kind);
    const name = topic.slice(0, 120);
    if (known.length >= TOPICS_MAX && !known.some((seen) => seen.topic === name)) return;
    this.#sql.exec(
      `INSERT INTO ignored_topics (kind, topic, count, last_at) VALUES (?, ?, 1, ?)
       ON CONFLICT (kind, topic) DO UPDATE SET count = count + 1, last_at = excluded.last_at`,
      kind,
      name,
      at,
    );
  }

  list(kind: ConnectionKind): { topic: string; count: number; lastAt: string }[] {
    return this.#sql
      .exec<Row>(
        'SELECT topic, count, last_at FROM ignored_topics WHERE kind = ? ORDER BY topic',
        kind,
      )
      .toArray()
      .map(({ topic, count, last_at }) => ({ topic, count, lastAt: last_at }));
  }
}
