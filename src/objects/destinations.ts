/**
 * The destinations of a tenant that fail or are disabled. A destination that takes what it is sent has
 * no row, so that a delivered webhook writes none.
 */
import type { Destination } from '../contract/deliveries.ts';
import type { Page } from '../contract/pages.ts';
import {
  type AttemptSeen,
  afterAttempt,
  type DestinationHealth,
  disableByHand,
  type HealthStep,
  passage,
} from '../engine/destination-health.ts';
import { portableSha256 } from '../engine/sha256.ts';

const SCHEMA = `CREATE TABLE IF NOT EXISTS destinations (
  key TEXT PRIMARY KEY, health TEXT NOT NULL) WITHOUT ROWID`;
type Row = { health: string };

/** URLs can be made of an event's data, so there may be any number: the stalest record gives way. */
const RECORDS_MAX = 1_000;
const KEY_LENGTH = 16;

/** 16 hex digits: short enough for a thousand of them to travel with every batch of work. */
export function destinationKey(url: string): string {
  return portableSha256.ofText(url).slice(0, KEY_LENGTH);
}

/** What an attempt at a destination is told: `retryAt` (milliseconds) null: not by itself. */
export type Admittance = { allowed: true } | { allowed: false; retryAt: number | null };

export class Destinations {
  readonly #sql: SqlStorage;
  #disabledKeys: readonly string[] | null = null;
  /** Most of the time all are well, and then none has to be looked for. */
  #areSome: boolean | null = null;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  find(url: string): DestinationHealth | null {
    this.#areSome ??= this.#sql.exec('SELECT 1 FROM destinations LIMIT 1').toArray().length > 0;
    if (!this.#areSome) return null;
    const row = this.#sql
      .exec<Row>('SELECT health FROM destinations WHERE key = ?', destinationKey(url))
      .toArray()[0];
    return row === undefined ? null : JSON.parse(row.health);
  }

  isDisabled(url: string): boolean {
    return (this.find(url)?.disabled ?? null) !== null;
  }

  /** Those that began to fail last come first; one too many is asked for, as `paged` wants. */
  list({ limit, after }: Page): { readonly key: string; readonly item: Destination }[] {
    return this.#all()
      .map((health) => ({ key: listKey(health), item: destinationView(health) }))
      .filter(({ key }) => after === null || key < after)
      .toSorted((a, b) => (a.key < b.key ? 1 : -1))
      .slice(0, limit);
  }

  /** Keys of the disabled ones: who is about to send asks `admit` when the key is among them. */
  disabledKeys(): readonly string[] {
    this.#disabledKeys ??= this.#all().flatMap(({ url, disabled }) =>
      disabled === null ? [] : [destinationKey(url)],
    );
    return this.#disabledKeys;
  }

  /** Takes note of a request's outcome. What changed is told once. */
  note(url: string, seen: AttemptSeen): { before: DestinationHealth | null } & HealthStep {
    const before = this.find(url);
    const step = afterAttempt(before, url, seen);
    if (step.health !== before) this.#keep(url, step.health);
    return { before, ...step };
  }

  /** May a request be sent now? A probe that is let through is the only one for a while. */
  admit(url: string, now: number): Admittance {
    const health = this.find(url);
    const answer = passage(health, now);
    if (!answer.allowed) return answer;
    if (answer.health !== health) this.#keep(url, answer.health);
    return { allowed: true };
  }

  /** Null when an admin has done so already. */
  disable(url: string, now: number): DestinationHealth | null {
    const health = disableByHand(this.find(url), url, now);
    if (health !== null) this.#keep(url, health);
    return health;
  }

  /** Forgets what has failed. Answers what was known; null when nothing was. */
  enable(url: string): DestinationHealth | null {
    const health = this.find(url);
    if (health !== null) this.#keep(url, null);
    return health;
  }

  /** Forgets the destinations of whose address something holds. */
  forgetWhere(holds: (url: string) => boolean): void {
    for (const { url } of this.#all()) if (holds(url)) this.#keep(url, null);
  }

  #keep(url: string, health: DestinationHealth | null): void {
    this.#disabledKeys = null;
    this.#areSome = null;
    if (health === null) {
      this.#forget(url);
      return;
    }
    this.#sql.exec(
      'INSERT OR REPLACE INTO destinations (key, health) VALUES (?, ?)',
      destinationKey(url),
      JSON.stringify(health),
    );
    if (health.failures === 1) this.#makeRoom(url);
  }

  /** One that failed longest ago, or, when all are disabled, one that a new answer would disable again. */
  #makeRoom(newest: string): void {
    const count = this.#sql.exec<{ n: number }>('SELECT count(*) AS n FROM destinations').one().n;
    if (count <= RECORDS_MAX) return;
    const isDisabled = ({ disabled }: DestinationHealth) => (disabled === null ? 0 : 1);
    const stalest = this.#all()
      .filter(({ disabled, url }) => disabled?.reason !== 'by_hand' && url !== newest)
      .toSorted(
        (a, b) => isDisabled(a) - isDisabled(b) || (a.lastFailureAt ?? 0) - (b.lastFailureAt ?? 0),
      )[0];
    if (stalest !== undefined) this.#forget(stalest.url);
  }

  #forget(url: string): void {
    this.#sql.exec('DELETE FROM destinations WHERE key = ?', destinationKey(url));
  }

  #all(): DestinationHealth[] {
    return this.#sql
      .exec<Row>('SELECT health FROM destinations')
      .toArray()
      .map(({ health }) => JSON.parse(health));
  }
}

function listKey({ url, failingSince, disabled }: DestinationHealth): string {
  const since = failingSince ?? disabled?.at ?? 0;
  return `${new Date(since).toISOString()} ${destinationKey(url)}`;
}

/** As callers see it. */
export function destinationView(health: DestinationHealth): Destination {
  const { url, failures, lastCode, lastStatus, disabled } = health;
  return {
    url,
    state: disabled === null ? 'failing' : 'disabled',
    failingSince: timeText(health.failingSince),
    failures,
    lastFailureAt: timeText(health.lastFailureAt),
    lastCode,
    lastStatus,
    disabledAt: timeText(disabled?.at ?? null),
    reason: disabled?.reason ?? null,
    nextProbeAt: timeText(disabled?.nextProbeAt ?? null),
  };
}

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
