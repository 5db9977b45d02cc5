/** What a check looks at, and what it says when something is wrong. */
import type { EventRecord } from '../../../src/contract/events.ts';
import type { Run } from '../../../src/contract/runs.ts';
import type { Recorded } from '../record.ts';
import type { Arrival, Operation, SentEvent, Story } from '../story.ts';

export interface Finding {
  readonly check: string;
  /** An id, to look for in the log. */
  readonly about: string;
  readonly says: string;
}

/** One tenant: its record, held against what the harness did and saw of it. */
export interface Case {
  readonly recorded: Recorded;
  readonly story: Story;
  readonly sent: readonly SentEvent[];
  readonly operations: readonly Operation[];
  readonly runs: ReadonlyMap<string, Run>;
  /** By source and id. */
  readonly events: ReadonlyMap<string, EventRecord>;
  /** By webhook id, the earliest first. */
  readonly arrivals: ReadonlyMap<string, readonly Arrival[]>;
}

export type Check = (of: Case) => Finding[];

export function caseOf(recorded: Recorded, story: Story): Case {
  const { tenantId } = recorded;
  const own = story.arrivals.filter(({ path }) => path.startsWith(`/${tenantId}/`));
  return {
    recorded,
    story,
    sent: story.events.filter((event) => event.tenantId === tenantId),
    operations: story.operations.filter((operation) => operation.tenantId === tenantId),
    runs: new Map(recorded.runs.map((run) => [run.id, run])),
    events: new Map(recorded.events.map((event) => [eventKey(event.source, event.eventId), event])),
    arrivals: Map.groupBy(own, ({ webhookId }) => webhookId),
  };
}

export function eventKey(source: string, id: string): string {
  return `${source} ${id}`;
}

/** Findings of one check. */
export function finder(check: string) {
  return (about: string, says: string): Finding => ({ check, about, says });
}

/** Values that are there more than once. */
export function doubled(values: readonly string[]): string[] {
  const seen = new Set<string>();
  return [...new Set(values.filter((value) => seen.has(value) || !seen.add(value)))];
}

export function sameIds(left: readonly string[], right: readonly string[]): boolean {
  return left.toSorted().join() === right.toSorted().join();
}
