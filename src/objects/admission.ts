/**
 * Admission of events (I1), inside the caller's transaction: is it known, which of the enabled workflows
 * of its type does it start, and which runs are that. A repeat of `(source, id)` answers what the first
 * one was answered.
 */
import type { AuditFact } from '../contract/audit.ts';
import type {
  AcceptedEvent,
  CloudEvent,
  EventMatch,
  EventRecord,
  IncomingEvent,
} from '../contract/events.ts';
import type { Actor } from '../contract/json.ts';
import type { RunItem } from '../contract/runs.ts';
import type { Tenant } from '../contract/tenants.ts';
import type { StoredEvent } from '../db/triggers.ts';
import { compileTrigger } from '../engine/definition.ts';
import { type Matched, matchEvent } from '../engine/match.ts';
import { type Candidate, TriggerIndex } from '../engine/trigger-index.ts';
import { newId } from '../ids.ts';
import { SYSTEM } from './audit-facts.ts';
import { compiledVersion } from './compiled.ts';
import { type Intake, type Place, placeOfEvent } from './intake.ts';
import type { RunStart } from './messages.ts';
import type { PinnedWorkflow, Workflows } from './workflows.ts';

/** Where events come from: who sent them, and which workflows led to them. */
export interface Origin {
  readonly sender: Actor;
  readonly requestId: string;
  readonly path: readonly string[];
  readonly authors: readonly string[];
}

export type Admitted =
  | { readonly duplicate: AcceptedEvent }
  | {
      readonly duplicate: null;
      readonly accepted: AcceptedEvent;
      readonly place: Place;
      readonly record: StoredEvent;
      readonly runs: readonly RunStart[];
      readonly audit: readonly AuditFact[];
    };

/** Types are named by senders (`custom.…`): so many are remembered at once. */
const TYPES_MAX = 1_000;

interface Triggered extends Candidate {
  readonly workflow: PinnedWorkflow;
}

/** The enabled workflows of a type. */
interface OfType {
  readonly triggers: TriggerIndex<Triggered>;
  /** By which the read model knows them: see triggers.ts. */
  readonly revision: number;
}

export class Admission {
  readonly #tenant: Tenant;
  readonly #intake: Intake;
  readonly #workflows: Workflows;
  readonly #revision: () => number;
  /** Enabled workflows by event type, with their triggers compiled: those of types that came. */
  readonly #byType = new Map<string, OfType>();

  /** @param revision of the workflows as they are now */
  constructor(tenant: Tenant, intake: Intake, workflows: Workflows, revision: () => number) {
    this.#tenant = tenant;
    this.#intake = intake;
    this.#workflows = workflows;
    this.#revision = revision;
  }

  /** A workflow was created, changed, enabled or disabled. */
  forgetWorkflows(): void {
    this.#byType.clear();
  }

  /** What the event is answered, and what is to be written down of it. */
  admit(incoming: IncomingEvent, origin: Origin, now: number): Admitted {
    const source = identitySource(incoming, origin);
    const first = incoming.id === undefined ? null : this.#intake.answered(source, incoming.id);
    if (first !== null && incoming.id !== undefined)
      return { duplicate: { ...first, eventId: incoming.id, duplicate: true } };
    const id = newId('evt');
    const at = new Date(now).toISOString();
    const event = cloudEvent(incoming, id, origin.requestId, at);
    const { triggers, revision } = this.#ofType(event.type);
    const tenant = { id: this.#tenant.id, name: this.#tenant.name };
    const matches = matchEvent({ event, tenant }, origin, triggers).map((match) =>
      match.matched ? this.#ifReadable(match) : match,
    );
    const runs = matches.flatMap(({ matched, candidate }) =>
      matched ? [runOf(candidate.workflow, origin)] : [],
    );
    const runIds = runs.map(({ runId }) => runId);
    const told = { runs: runIds, matches: matches.map(toldOf), revision };
    return {
      duplicate: null,
      accepted: { id, eventId: event.id, duplicate: false, runs: runIds },
      place: placeOfEvent(source, incoming.id, id),
      record: { ...recordOf(id, event, incoming, origin.requestId, at), ...told },
      runs,
      audit: matches.flatMap((match) => (match.loop ? [loopStopped(match, id, origin)] : [])),
    };
  }

  /** Without its condition, a workflow of which it cannot be read would start for every event. */
  #ifReadable(match: Matched<Triggered>): Matched<Triggered> {
    const result = compiledVersion(this.#tenant.id, match.candidate.workflow);
    return result.ok ? match : { ...match, matched: false, reason: result.reason };
  }

  #ofType(type: string): OfType {
    const known = this.#byType.get(type);
    if (known !== undefined) return known;
    const candidates = this.#workflows.enabled(type).map((workflow) => ({
      workflowId: workflow.id,
      version: workflow.version,
      trigger: compileTrigger(workflow.definition.trigger, []),
      workflow,
    }));
    const found = { triggers: new TriggerIndex(candidates), revision: this.#revision() };
    if (this.#byType.size >= TYPES_MAX) this.#byType.clear();
    this.#byType.set(type, found);
    return found;
  }
}

function runOf(
  { id: workflowId, version, definition, author }: PinnedWorkflow,
  { requestId, path, authors, sender }: Origin,
): RunStart {
  return {
    runId: newId('run'),
    requestId,
    workflow: { id: workflowId, name: definition.name, version },
    authors: [...new Set([...authors, sender.id, author.id])],
    path: [...path, workflowId],
  };
}

/** A run that nobody has begun, as lists show it. */
export function queuedItem(
  { runId, requestId, workflow, retry }: RunStart,
  record: EventRecord,
): RunItem {
  return {
    id: runId,
    workflowId: workflow.id,
    workflowName: workflow.name,
    workflowVersion: workflow.version,
    eventId: record.id,
    eventType: record.type,
    status: 'queued',
    requestId,
    correlationId: record.correlationId,
    createdAt: retry?.at ?? record.receivedAt,
    finishedAt: null,
    error: null,
  };
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
): Omit<EventRecord, 'runs' | 'matches'> {
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
  };
}

function toldOf({ candidate, matched, reason }: Matched<Candidate>): EventMatch {
  const { workflowId, version } = candidate;
  return { workflowId, version, matched, reason };
}

function loopStopped(
  { candidate: { workflowId, version }, reason }: Matched<Candidate>,
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
