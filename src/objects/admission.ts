/**
 * Admission of events (I1), inside the caller's transaction: remember the event, match it against
 * the enabled workflows of its type, create the runs. Answered 202 means that these rows are on disk;
 * a repeat of `(source, id)` answers what the first one was answered.
 */

import type { ApprovalPolicy } from '../contract/approvals.ts';
import type { AuditFact } from '../contract/audit.ts';
import type { AcceptedEvent, CloudEvent, EventRecord, IncomingEvent } from '../contract/events.ts';
import type { Actor } from '../contract/json.ts';
import type { RunItem } from '../contract/runs.ts';
import type { Tenant } from '../contract/tenants.ts';
import { type CompiledTrigger, compileTrigger } from '../engine/definition.ts';
import { type Matched, matchEvent } from '../engine/match.ts';
import { newId } from '../ids.ts';
import { SYSTEM } from './audit-facts.ts';
import type { Seed } from './messages.ts';
import { canFinishAtOnce, compiledVersion } from './plan.ts';
import type { PinnedWorkflow } from './workflows.ts';

const SCHEMA = `CREATE TABLE IF NOT EXISTS seen_events (
  source TEXT NOT NULL, event_id TEXT NOT NULL, id TEXT NOT NULL, runs TEXT NOT NULL,
  PRIMARY KEY (source, event_id)) WITHOUT ROWID`;
type Row = { id: string; runs: string };

/** Where events come from: who sent them, and which workflows led to them. */
export interface Origin {
  readonly sender: Actor;
  readonly requestId: string;
  readonly path: readonly string[];
  readonly authors: readonly string[];
}

export interface NewRun {
  readonly seed: Seed;
  readonly item: RunItem;
  /** An executor may finish it; else it gets an object of its own from the start. */
  readonly atOnce: boolean;
}

export interface Admitted {
  readonly accepted: AcceptedEvent;
  /** Null for a duplicate. */
  readonly record: EventRecord | null;
  readonly runs: readonly NewRun[];
  readonly audit: readonly AuditFact[];
}

interface Triggered {
  readonly workflow: PinnedWorkflow;
  readonly trigger: CompiledTrigger;
}

export class Admission {
  readonly #sql: SqlStorage;
  readonly #tenant: Tenant;
  readonly #enabled: () => PinnedWorkflow[];
  /** Enabled workflows by event type, with their triggers compiled. */
  #byType: Map<string, Triggered[]> | null = null;

  constructor(sql: SqlStorage, tenant: Tenant, enabled: () => PinnedWorkflow[]) {
    this.#sql = sql;
    this.#tenant = tenant;
    this.#enabled = enabled;
    sql.exec(SCHEMA);
  }

  /** A workflow was created, changed, enabled or disabled. */
  forgetWorkflows(): void {
    this.#byType = null;
  }

  admit(incoming: IncomingEvent, origin: Origin, policy: ApprovalPolicy, now: number): Admitted {
    const source = identitySource(incoming, origin);
    const first = incoming.id === undefined ? null : this.#seen(source, incoming.id);
    if (first !== null) {
      const { id, runs } = first;
      const eventId = incoming.id ?? id;
      const accepted = { id, eventId, duplicate: true, runs: JSON.parse(runs) };
      return { accepted, record: null, runs: [], audit: [] };
    }
    const id = newId('evt');
    const at = new Date(now).toISOString();
    const event = cloudEvent(incoming, id, origin.requestId, at);
    const triggered = this.#triggered(event.type);
    const matches = matchEvent(
      { event, tenant: { id: this.#tenant.id, name: this.#tenant.name } },
      { path: origin.path },
      triggered.map(({ workflow, trigger }) => ({
        workflowId: workflow.id,
        version: workflow.version,
        trigger,
      })),
    );
    const runs = triggered.flatMap(({ workflow }, index) =>
      matches[index]?.matched === true
        ? [this.#newRun(workflow, id, event, origin, policy, at)]
        : [],
    );
    const runIds = runs.map(({ item }) => item.id);
    if (incoming.id !== undefined) this.#remember(source, incoming.id, id, runIds);
    return {
      accepted: { id, eventId: event.id, duplicate: false, runs: runIds },
      record: recordOf(id, event, incoming, origin.requestId, at, runIds, matches),
      runs,
      audit: matches.flatMap((match) => (match.loop ? [loopStopped(match, id, origin)] : [])),
    };
  }

  #seen(source: string, eventId: string): Row | null {
    return (
      this.#sql
        .exec<Row>(
          'SELECT id, runs FROM seen_events WHERE source = ? AND event_id = ?',
          source,
          eventId,
        )
        .toArray()[0] ?? null
    );
  }

  #remember(source: string, eventId: string, id: string, runs: readonly string[]): void {
    this.#sql.exec(
      'INSERT INTO seen_events (source, event_id, id, runs) VALUES (?, ?, ?, ?)',
      source,
      eventId,
      id,
      JSON.stringify(runs),
    );
  }

  #triggered(type: string): readonly Triggered[] {
    this.#byType ??= Map.groupBy(
      this.#enabled().map((workflow) => ({
        workflow,
        trigger: compileTrigger(workflow.definition.trigger, []),
      })),
      ({ trigger }) => trigger.event,
    );
    return this.#byType.get(type) ?? [];
  }

  #newRun(
    { id: workflowId, version, definition, author }: PinnedWorkflow,
    eventId: string,
    event: CloudEvent,
    { requestId, path, authors, sender }: Origin,
    policy: ApprovalPolicy,
    at: string,
  ): NewRun {
    const runId = newId('run');
    const { id: tenantId, name } = this.#tenant;
    const compiled = compiledVersion(tenantId, workflowId, version, definition);
    return {
      seed: {
        runId,
        requestId,
        tenant: { id: tenantId, name },
        workflow: { id: workflowId, name: definition.name, version },
        definition,
        eventId,
        event,
        authors: [...new Set([...authors, sender.id, author.id])],
        path: [...path, workflowId],
      },
      item: {
        id: runId,
        workflowId,
        workflowName: definition.name,
        workflowVersion: version,
        eventId,
        eventType: event.type,
        status: 'queued',
        requestId,
        correlationId: event.correlationid,
        createdAt: at,
        finishedAt: null,
        error: null,
      },
      atOnce: canFinishAtOnce(compiled, policy),
    };
  }
}

/** Events of actions are told apart from what a sender could send: a source holds no space. */
function identitySource({ source }: IncomingEvent, { path }: Origin): string {
  return path.length === 0 ? source : `caused ${source}`;
}

function cloudEvent(
  incoming: IncomingEvent,
  id: string,
  requestId: string,
  at: string,
): CloudEvent {
  const { id: eventId = id, source, type, time = at, subject, correlationId, data } = incoming;
  return {
    ...incoming.extensions,
    specversion: '1.0',
    id: eventId,
    source,
    type,
    time,
    ...(subject === undefined ? {} : { subject }),
    correlationid: correlationId ?? requestId,
    data,
  };
}

/** The event of a record again, to the letter: a message that is sent once more has the same body. */
export function eventOf(record: EventRecord): CloudEvent {
  const { eventId, source, type, time, subject, correlationId, data } = record;
  return {
    ...record.extensions,
    specversion: '1.0',
    id: eventId,
    source,
    type,
    time,
    ...(subject === null ? {} : { subject }),
    correlationid: correlationId,
    data,
  };
}

function recordOf(
  id: string,
  event: CloudEvent,
  { subject, extensions }: IncomingEvent,
  requestId: string,
  receivedAt: string,
  runs: string[],
  matches: readonly Matched[],
): EventRecord {
  const { id: eventId, source, type, time, correlationid: correlationId, data } = event;
  return {
    id,
    eventId,
    source,
    type,
    time,
    subject: subject ?? null,
    data,
    correlationId,
    requestId,
    receivedAt,
    extensions,
    runs,
    matches: matches.map(({ loop: _loop, ...match }) => match),
  };
}

function loopStopped(
  { workflowId, version, reason }: Matched,
  eventId: string,
  { requestId, path }: Origin,
): AuditFact {
  return {
    actor: SYSTEM,
    action: 'loop.stopped',
    target: { type: 'workflow', id: workflowId },
    requestId,
    data: { eventId, version, reason, path },
  };
}
