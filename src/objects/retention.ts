/**
 * What a tenant keeps for so many days, and how far the day's removal has come: kind after kind, slice
 * after slice. What goes is planned in one transaction with the place to go on from, and leaves for the
 * read model by the outbox like everything else; so a removal that was cut off goes on, and its counts
 * are right. Once a day it begins again, and an audit entry tells of the day before it does.
 */
import type { AuditFact } from '../contract/audit.ts';
import { refusal } from '../contract/problems.ts';
import {
  NOTHING_REMOVED,
  type Removed,
  type Retention,
  type RetentionUpdate,
} from '../contract/retention.ts';
import { SYSTEM } from './audit-facts.ts';
import { type Change, changed, unchanged } from './change.ts';
import type { Settings } from './settings.ts';

const DAY_MS = 86_400_000;
const LONG_AGO = '1970-01-01T00:00:00.000Z';

/** In this order: what of a run is left is found once the run is gone, and an event outlives its runs. */
const KINDS = ['runs', 'deliveries', 'events', 'identities'] as const;
export type RemovedKind = (typeof KINDS)[number];

/** After what the next slice begins. */
interface RemovalPlace {
  readonly kind: RemovedKind;
  readonly after: string;
}

export interface Removal {
  readonly day: string;
  /** Null once the day's removal is done. */
  readonly place: RemovalPlace | null;
  /** That no audit entry has told of yet. */
  readonly removed: Removed;
}

/** What is to be looked through next: rows from before a time (RFC 3339 UTC). */
export interface RemovalStep extends RemovalPlace {
  readonly before: string;
}

export class RetentionClock {
  readonly #tenantId: string;
  readonly #settings: Settings;

  constructor(tenantId: string, settings: Settings) {
    this.#tenantId = tenantId;
    this.#settings = settings;
  }

  update(change: RetentionUpdate): Change<Retention> {
    const stands = this.#settings.retention();
    const { runsDays = stands.runsDays, eventsDays = stands.eventsDays } = change;
    if (eventsDays !== null && (runsDays === null || eventsDays < runsDays))
      return refusal('validation_failed', 'Events are kept at least as long as their runs.', [
        { path: 'eventsDays', message: `not less than runsDays (${runsDays ?? 'null: for ever'})` },
      ]);
    if (runsDays === stands.runsDays && eventsDays === stands.eventsDays) return unchanged(stands);
    const retention = { runsDays, eventsDays };
    this.#settings.setRetention(retention);
    this.#beginAnew();
    const target = { type: 'tenant', id: this.#tenantId };
    return changed(retention, 'retention.updated', target, retention);
  }

  /** Null when nothing is left to be done today (`now` in milliseconds). */
  next(now: number): RemovalStep | null {
    const { place, removed } = this.#removal(now);
    const kind = place === null ? null : this.#firstFrom(KINDS.indexOf(place.kind));
    const days = kind === null ? null : this.#daysOf(kind);
    if (kind !== null && days !== null) {
      const after = kind === place?.kind ? place.after : '';
      return { kind, after, before: new Date(now - days * DAY_MS).toISOString() };
    }
    // Somebody has said "for ever" meanwhile: nothing more goes, and what went is told.
    return isNothing(removed) ? null : { kind: 'identities', after: '', before: LONG_AGO };
  }

  /**
   * A slice was looked through, up to a place (null: to the end). Inside the transaction that sees to it
   * that what it found goes. @returns what the audit is to tell, once there is something
   */
  advance(
    kind: RemovedKind,
    found: { readonly count: number; readonly next: string | null },
    now: number,
  ): AuditFact | null {
    const { day, removed } = this.#removal(now);
    const counts = { ...removed, [kind]: removed[kind] + found.count };
    const at = KINDS.indexOf(kind);
    const following = this.#firstFrom(found.next === null ? at + 1 : at);
    const place =
      following === null
        ? null
        : { kind: following, after: following === kind ? (found.next ?? '') : '' };
    const isTold = (place === null || day !== dayOf(now)) && !isNothing(counts);
    const untold = isTold ? NOTHING_REMOVED : counts;
    this.#settings.setRemoval({ day: dayOf(now), place, removed: untold });
    return isTold ? this.#fact(day, counts) : null;
  }

  /** Whether a step is still the next one: two sweeps may have met. */
  isNext({ kind, after }: RemovalStep, now: number): boolean {
    const step = this.next(now);
    return step?.kind === kind && step.after === after;
  }

  /** Today's removal may have been done by the former rule. */
  #beginAnew(): void {
    const known = this.#settings.removal();
    if (known !== null) this.#settings.setRemoval({ ...known, day: '', place: null });
  }

  /** The first kind, from one on, that is not kept for ever. */
  #firstFrom(index: number): RemovedKind | null {
    return KINDS.slice(index).find((kind) => this.#daysOf(kind) !== null) ?? null;
  }

  #daysOf(kind: RemovedKind): number | null {
    const { runsDays, eventsDays } = this.#settings.retention();
    return kind === 'runs' || kind === 'deliveries' ? runsDays : eventsDays;
  }

  /** The one that is under way, or a new day's. */
  #removal(now: number): Removal {
    const known = this.#settings.removal();
    if (known !== null && (known.place !== null || known.day === dayOf(now))) return known;
    const removed = known?.removed ?? NOTHING_REMOVED;
    return { day: dayOf(now), place: { kind: KINDS[0], after: '' }, removed };
  }

  #fact(day: string, removed: Removed): AuditFact {
    return {
      actor: SYSTEM,
      action: 'retention.removed',
      target: { type: 'tenant', id: this.#tenantId },
      requestId: `retention-${day}`,
      data: { day, removed: { ...removed } },
    };
  }
}

function isNothing(removed: Removed): boolean {
  return Object.values(removed).every((count) => count === 0);
}

function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 'YYYY-MM-DD'.length);
}
