/** A tenant's workflows and their versions. A version never changes; the newest is the current one. */
import type { Actor, JsonObject } from '../contract/json.ts';
import type { Page } from '../contract/pages.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import type { Definition, Workflow, WorkflowItem } from '../contract/workflows.ts';
import { ERASED } from '../engine/audit-parts.ts';
import { type Change, changed, unchanged } from './change.ts';

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS workflows (
    id TEXT PRIMARY KEY, enabled INTEGER NOT NULL, version INTEGER NOT NULL, event TEXT NOT NULL,
    created_at TEXT NOT NULL, created_by TEXT NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS workflow_versions (
    workflow_id TEXT NOT NULL, version INTEGER NOT NULL, definition TEXT NOT NULL,
    at TEXT NOT NULL, author TEXT NOT NULL, PRIMARY KEY (workflow_id, version)) WITHOUT ROWID`,
];

type Row = {
  id: string;
  enabled: number;
  version: number;
  event: string;
  created_at: string;
  created_by: string;
  definition: string;
  at: string;
  author: string;
};
const JOINED = `SELECT w.id, w.enabled, w.version, w.event, w.created_at, w.created_by,
  v.definition, v.at, v.author FROM workflows w JOIN workflow_versions v
  ON v.workflow_id = w.id`;

export const WORKFLOWS_MAX = 20_000;
const DEFINITIONS_MAX = 500;

export interface WorkflowFilter {
  readonly enabled?: boolean | undefined;
  readonly event?: string | undefined;
}

/** A version as matching and running need it. */
export interface PinnedWorkflow {
  readonly id: string;
  readonly version: number;
  readonly definition: Definition;
  readonly author: Actor;
}

export class Workflows {
  readonly #sql: SqlStorage;
  /** Parsed, by workflow and version: they never change. */
  readonly #definitions = new Map<string, Definition>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    for (const statement of SCHEMA) sql.exec(statement);
  }

  /** The definition was checked, before it came here, by the same code that runs it. */
  create(
    id: string,
    definition: Definition,
    enabled: boolean,
    by: Actor,
    at: string,
  ): Change<Workflow> {
    const { n } = this.#sql.exec<{ n: number }>('SELECT count(*) AS n FROM workflows').one();
    if (n >= WORKFLOWS_MAX)
      return refusal('limit_reached', `A tenant has at most ${WORKFLOWS_MAX} workflows.`);
    this.#sql.exec(
      `INSERT INTO workflows (id, enabled, version, event, created_at, created_by)
       VALUES (?, ?, 1, ?, ?, ?)`,
      id,
      enabled ? 1 : 0,
      definition.trigger.event,
      at,
      JSON.stringify(by),
    );
    this.#addVersion(id, 1, definition, by, at);
    const data = { name: definition.name, version: 1, enabled };
    return this.#changed(id, 'workflow.created', data);
  }

  /** `read` is the version that the caller has seen; another one now: `version_conflict`. */
  update(
    id: string,
    read: number,
    definition: Definition,
    by: Actor,
    at: string,
  ): Change<Workflow> {
    const current = this.find(id);
    if (current === null) return noSuchWorkflow();
    if (current.version !== read)
      return refusal(
        'version_conflict',
        `The workflow is at version ${current.version}, not ${read}. Read it again.`,
      );
    const version = read + 1;
    this.#sql.exec(
      'UPDATE workflows SET version = ?, event = ? WHERE id = ?',
      version,
      definition.trigger.event,
      id,
    );
    this.#addVersion(id, version, definition, by, at);
    return this.#changed(id, 'workflow.updated', { name: definition.name, version });
  }

  /** Saying it twice is fine. */
  setEnabled(id: string, enabled: boolean): Change<Workflow> {
    const current = this.find(id);
    if (current === null) return noSuchWorkflow();
    if (current.enabled === enabled) return unchanged(current);
    this.#sql.exec('UPDATE workflows SET enabled = ? WHERE id = ?', enabled ? 1 : 0, id);
    const { name, version } = current;
    const action = enabled ? 'workflow.enabled' : 'workflow.disabled';
    return this.#changed(id, action, { name, version });
  }

  #changed(
    id: string,
    action: 'workflow.created' | 'workflow.updated' | 'workflow.enabled' | 'workflow.disabled',
    data: JsonObject,
  ): Change<Workflow> {
    const workflow = this.find(id);
    if (workflow === null) return noSuchWorkflow();
    return changed(workflow, action, { type: 'workflow', id }, data);
  }

  /** The current version, or an older one. */
  find(id: string, version?: number): Workflow | null {
    const row = this.#sql
      .exec<Row>(
        `${JOINED} WHERE w.id = ? AND v.version = ifnull(?, w.version)`,
        id,
        version ?? null,
      )
      .toArray()[0];
    return row === undefined ? null : workflowOf(row, version);
  }

  /** A version's definition: a run keeps none of its own. */
  definition(id: string, version: number): Definition {
    const key = `${id}/${version}`;
    const known = this.#definitions.get(key);
    if (known !== undefined) return known;
    const { definition: text } = this.#sql
      .exec<Pick<Row, 'definition'>>(
        'SELECT definition FROM workflow_versions WHERE workflow_id = ? AND version = ?',
        id,
        version,
      )
      .one();
    const definition: Definition = JSON.parse(text);
    if (this.#definitions.size >= DEFINITIONS_MAX) this.#definitions.clear();
    this.#definitions.set(key, definition);
    return definition;
  }

  /** Newest first, after an id. */
  list(filter: WorkflowFilter, page: Page): WorkflowItem[] {
    return this.#sql
      .exec<Row>(
        `${JOINED} AND v.version = w.version
         WHERE w.enabled = ifnull(?1, w.enabled) AND w.event = ifnull(?2, w.event)
           AND w.id < ifnull(?3, '~')
         ORDER BY w.id DESC LIMIT ?4`,
        filter.enabled === undefined ? null : Number(filter.enabled),
        filter.event ?? null,
        page.after,
        page.limit,
      )
      .toArray()
      .map(itemOf);
  }

  /**
   * The enabled workflows of an event type (null: of all) in their current versions: what admission keeps
   * in memory.
   */
  enabled(event: string | null): PinnedWorkflow[] {
    return this.#sql
      .exec<Row>(
        `${JOINED} AND v.version = w.version
         WHERE w.event = ifnull(?, w.event) AND w.enabled = 1 ORDER BY w.id`,
        event,
      )
      .toArray()
      .map((row) => ({
        id: row.id,
        version: row.version,
        definition: JSON.parse(row.definition),
        author: JSON.parse(row.author),
      }));
  }

  /** A version keeps its author's id, and forgets the name. */
  eraseAuthor(actorId: string): void {
    this.#sql.exec(
      `UPDATE workflows SET created_by = json_set(created_by, '$.name', ?1)
       WHERE created_by->>'id' = ?2`,
      ERASED,
      actorId,
    );
    this.#sql.exec(
      `UPDATE workflow_versions SET author = json_set(author, '$.name', ?1)
       WHERE author->>'id' = ?2`,
      ERASED,
      actorId,
    );
  }

  /** Ids of the workflows that have a version of which something holds. */
  idsWhere(holds: (definition: Definition) => boolean): string[] {
    const ids = new Set<string>();
    const rows = this.#sql.exec<{ workflow_id: string; definition: string }>(
      'SELECT workflow_id, definition FROM workflow_versions',
    );
    for (const { workflow_id: id, definition } of rows)
      if (!ids.has(id) && holds(JSON.parse(definition))) ids.add(id);
    return [...ids];
  }

  #addVersion(id: string, version: number, definition: Definition, by: Actor, at: string): void {
    this.#sql.exec(
      `INSERT INTO workflow_versions (workflow_id, version, definition, at, author)
       VALUES (?, ?, ?, ?, ?)`,
      id,
      version,
      JSON.stringify(definition),
      at,
      JSON.stringify(by),
    );
  }
}

function noSuchWorkflow(): Refusal {
  return refusal('not_found', 'There is no such workflow.');
}

function itemOf(row: Row): WorkflowItem {
  const { name, description, trigger }: Definition = JSON.parse(row.definition);
  return {
    id: row.id,
    name,
    description: description ?? null,
    enabled: row.enabled === 1,
    version: row.version,
    event: trigger.event,
    createdAt: row.created_at,
    updatedAt: row.at,
    createdBy: JSON.parse(row.created_by),
    updatedBy: JSON.parse(row.author),
  };
}

function workflowOf(row: Row, version: number | undefined): Workflow {
  const { event: _event, ...item } = itemOf(row);
  const { trigger, steps }: Definition = JSON.parse(row.definition);
  return { ...item, version: version ?? row.version, trigger, steps };
}
