/**
 * Wrong addresses that were typed into the form behind an approval link. Whoever has the link has no
 * password to guess, but an address can be guessed: after some wrong ones the link decides nothing more.
 * Its member still decides by every other way.
 */
const SCHEMA = `CREATE TABLE IF NOT EXISTS link_guesses (
  link TEXT PRIMARY KEY, count INTEGER NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID`;

export const GUESSES_MAX = 10;

/** What is guessed at: each member has one link for an approval. */
export interface GuessedLink {
  readonly approvalId: string;
  readonly memberId: string;
}

export class LinkGuesses {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  isClosed(link: GuessedLink): boolean {
    return this.#count(link) >= GUESSES_MAX;
  }

  /**
   * Counts one. @param expiresAt when the link would end by itself (milliseconds): forgotten by then
   * @returns how many there were, this one too; null when the link was closed already
   */
  note(link: GuessedLink, expiresAt: number, now: number): number | null {
    const count = this.#count(link);
    if (count >= GUESSES_MAX) return null;
    this.#sql.exec('DELETE FROM link_guesses WHERE expires_at < ?', now);
    this.#sql.exec(
      'INSERT OR REPLACE INTO link_guesses (link, count, expires_at) VALUES (?, ?, ?)',
      nameOf(link),
      count + 1,
      expiresAt,
    );
    return count + 1;
  }

  #count(link: GuessedLink): number {
    const [row] = this.#sql
      .exec<{ count: number }>('SELECT count FROM link_guesses WHERE link = ?', nameOf(link))
      .toArray();
    return row?.count ?? 0;
  }
}

function nameOf({ approvalId, memberId }: GuessedLink): string {
  return `${approvalId} ${memberId}`;
}
