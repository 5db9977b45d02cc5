/**
 * The tenant's own row for each event: by it a repeat is known (I1), and in it stands what is to be
 * done for the event until all of it is done. One row goes the whole way, since rows written are the
 * bill: written when the event is admitted, when its run has ended or has to wait, and when the read
 * model has it. Each further run of the same event has a row of its own.
 *
 *   given ──► ended ──► done           an executor drives the run; the read model learns of it
 *     └────► handing ──► live ──► done the run has to wait, and moves into an object of its own
 *
 * The state stands first in the key, so what is open is found without an index. What the bodies hold
 * is the affair of open-runs.ts and ended-runs.ts.
 */
import type { Json } from '../contract/json.ts';

const SCHEMA = `CREATE TABLE IF NOT EXISTS intake (
  state INTEGER NOT NULL, source TEXT NOT NULL, event_id TEXT NOT NULL,
  id TEXT NOT NULL, runs TEXT NOT NULL, body TEXT,
  PRIMARY KEY (state, source, event_id)) WITHOUT ROWID`;

/** In the order in which a row goes through them; `done` is what is left to know a repeat by. */
const STATES = ['given', 'ended', 'handing', 'live', 'done'] as const;
export type IntakeState = (typeof STATES)[number];
const numberOf = (state: IntakeState) => STATES.indexOf(state);

/** Of rows that have no identity to remember: they go when they are done. No source has a space. */
const OF_EVENT = ' event';
const OF_RUN = ' run';

/** Which row. It travels with the run, so that its reports find it. */
export interface Place {
  readonly source: string;
  readonly eventId: string;
}

/** The event's own row: its identity, or its id when it has none. */
export function placeOfEvent(source: string, eventId: string | undefined, id: string): Place {
  return eventId === undefined ? { source: OF_EVENT, eventId: id } : { source, eventId };
}

/** The row of a further run of an event. */
export function placeOfRun(runId: string): Place {
  return { source: OF_RUN, eventId: runId };
}

/** The row of a run that is done again: by it, that is known, and done once. */
export function placeOfRetry(retriedId: string): Place {
  return { source: ' retry', eventId: retriedId };
}

/** As one text, for what is kept in memory. */
export function placeKey({ source, eventId }: Place): string {
  return JSON.stringify([source, eventId]);
}

export interface OpenRow {
  readonly place: Place;
  readonly body: string;
}

type Row = { source: string; event_id: string; body: string };

export class Intake {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  /** What the first event of this identity was answered; null when there was none. */
  answered(source: string, eventId: string): { id: string; runs: string[] } | null {
    const row = this.#sql
      .exec<{ id: string; runs: string }>(
        `SELECT id, runs FROM intake
         WHERE state IN (0, 1, 2, 3, 4) AND source = ? AND event_id = ?`,
        source,
        eventId,
      )
      .toArray()[0];
    return row === undefined ? null : { id: row.id, runs: JSON.parse(row.runs) };
  }

  /** @param runs what a repeat of the event is answered; empty for the row of a further run */
  put(state: 'given' | 'ended', place: Place, id: string, runs: readonly string[], body: string) {
    this.#sql.exec(
      'INSERT INTO intake (state, source, event_id, id, runs, body) VALUES (?, ?, ?, ?, ?, ?)',
      numberOf(state),
      place.source,
      place.eventId,
      id,
      JSON.stringify(runs),
      body,
    );
  }

  /** False when the row is not (or no longer) in that state: then nothing has changed (I2). */
  move(place: Place, from: IntakeState, to: Exclude<IntakeState, 'done'>, body: string): boolean {
    const { rowsWritten } = this.#sql.exec(
      'UPDATE intake SET state = ?, body = ? WHERE state = ? AND source = ? AND event_id = ?',
      numberOf(to),
      body,
      numberOf(from),
      place.source,
      place.eventId,
    );
    return rowsWritten > 0;
  }

  /** All of it is done: what is left is what a repeat is answered. */
  close(place: Place, from: IntakeState): boolean {
    const { source, eventId } = place;
    const { rowsWritten } =
      source === OF_EVENT || source === OF_RUN
        ? this.#sql.exec(
            'DELETE FROM intake WHERE state = ? AND source = ? AND event_id = ?',
            numberOf(from),
            source,
            eventId,
          )
        : this.#sql.exec(
            `UPDATE intake SET state = ${numberOf('done')}, body = NULL
             WHERE state = ? AND source = ? AND event_id = ?`,
            numberOf(from),
            source,
            eventId,
          );
    return rowsWritten > 0;
  }

  body({ source, eventId }: Place, state: IntakeState): string | null {
    const row = this.#sql
      .exec<{ body: string }>(
        'SELECT body FROM intake WHERE state = ? AND source = ? AND event_id = ?',
        numberOf(state),
        source,
        eventId,
      )
      .toArray()[0];
    return row?.body ?? null;
  }

  /** @param limit -1: all of them */
  rows(state: IntakeState, limit = -1): OpenRow[] {
    return this.#sql
      .exec<Row>(
        'SELECT source, event_id, body FROM intake WHERE state = ? LIMIT ?',
        numberOf(state),
        limit,
      )
      .toArray()
      .map(({ source, event_id: eventId, body }) => ({ place: { source, eventId }, body }));
  }

  /**
   * Forgets events before an id of which all is done: from then on a repeat is a new event. So many rows
   * after a place are looked at. @returns how many went, and the place to go on after; null at the end
   */
  forget(after: Place, before: string, limit: number): { count: number; next: Place | null } {
    const rows = this.#sql
      .exec<{ source: string; event_id: string; id: string }>(
        `SELECT source, event_id, id FROM intake WHERE state = ${numberOf('done')}
           AND (source, event_id) > (?, ?) ORDER BY source, event_id LIMIT ?`,
        after.source,
        after.eventId,
        limit,
      )
      .toArray();
    const old = rows.filter(({ id }) => id < before);
    for (const { source, event_id: eventId } of old)
      this.#sql.exec(
        `DELETE FROM intake WHERE state = ${numberOf('done')} AND source = ? AND event_id = ?`,
        source,
        eventId,
      );
    const last = rows.at(-1);
    const isLast = rows.length < limit || last === undefined;
    const next = isLast ? null : { source: last.source, eventId: last.event_id };
    return { count: old.length, next };
  }

  /** How many rows have something on its way of which something holds. */
  countWhere(holds: (body: Json) => boolean): number {
    const states = ['ended', 'handing'] as const;
    return states.flatMap((state) => this.rows(state)).filter(({ body }) => holds(JSON.parse(body)))
      .length;
  }

  /** How many runs have not ended. */
  countOpen(): number {
    return this.#sql
      .exec<{ n: number }>('SELECT count(*) AS n FROM intake WHERE state IN (0, 2, 3)')
      .one().n;
  }
}
