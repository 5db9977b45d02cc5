/** A tenant's settings: who it is, its approval policy, its connections (secrets sealed). */
import type { ApprovalPolicy, RuleChanges } from '../contract/approvals.ts';
import type { Connection, ConnectionKind } from '../contract/connections.ts';
import type { JsonObject } from '../contract/json.ts';
import { DEFAULT_LIMITS, type TenantLimits } from '../contract/limits.ts';
import { refusal } from '../contract/problems.ts';
import { KEEP_FOR_EVER, type Retention } from '../contract/retention.ts';
import type { Tenant } from '../contract/tenants.ts';
import type { ActionRules } from '../engine/definition.ts';
import { deadlockFaults, defaultPolicy } from '../engine/policy.ts';
import type { SealedConnection } from '../ports/connections.ts';
import { type Change, changed } from './change.ts';
import type { Removal } from './retention.ts';

const SCHEMA = `CREATE TABLE IF NOT EXISTS settings (
  name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`;

type OwnRules = Record<string, NonNullable<RuleChanges[string]>>;

function wholePolicy(actions: ActionRules, own: OwnRules): ApprovalPolicy {
  return Object.fromEntries(
    Object.entries(actions).map(([name, { risk }]) => [
      name,
      { ...defaultPolicy(risk), ...own[name] },
    ]),
  );
}

export class Settings {
  readonly #sql: SqlStorage;
  /** What is asked for with every event; null: not read yet. */
  #limits: TenantLimits | null = null;
  #database: number | null = null;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  tenant(): Tenant | null {
    const value = this.#read('tenant');
    return value === null ? null : JSON.parse(value);
  }

  setTenant(tenant: Tenant): void {
    this.#write('tenant', JSON.stringify(tenant));
  }

  /** The number of the database that has the tenant's read model. */
  database(): number {
    const number = this.#database ?? Number(this.#read('database') ?? 0);
    this.#database = number;
    return number;
  }

  setDatabase(number: number): void {
    this.#database = null;
    this.#write('database', String(number));
  }

  /** The read model has been told of all triggers that there were, and is told of changes since. */
  hasToldTriggers(): boolean {
    return this.#read('triggers') !== null;
  }

  setToldTriggers(): void {
    this.#write('triggers', 'told');
  }

  limits(): TenantLimits {
    const own = () => JSON.parse(this.#read('limits') ?? '{}');
    const limits: TenantLimits = this.#limits ?? { ...DEFAULT_LIMITS, ...own() };
    this.#limits = limits;
    return limits;
  }

  setLimits(limits: TenantLimits): void {
    this.#limits = null;
    this.#write('limits', JSON.stringify(limits));
  }

  retention(): Retention {
    const value = this.#read('retention');
    return value === null ? KEEP_FOR_EVER : JSON.parse(value);
  }

  setRetention(retention: Retention): void {
    this.#write('retention', JSON.stringify(retention));
  }

  /** How far the removal of what is old has come; null before the first. */
  removal(): Removal | null {
    const value = this.#read('removal');
    return value === null ? null : JSON.parse(value);
  }

  setRemoval(removal: Removal): void {
    this.#write('removal', JSON.stringify(removal));
  }

  /** The rule of every action: the tenant's own where it has one, else what the risk asks for. */
  policy(actions: ActionRules): ApprovalPolicy {
    return wholePolicy(actions, this.#ownRules());
  }

  /** Where a chat hears of approvals; null for nowhere. */
  notifyUrl(): string | null {
    return this.#read('notify_url');
  }

  /**
   * `null` takes an action back to what its risk asks for; `notifyUrl` stays when it is left out. An
   * address for a chat is often a secret in itself: the audit chain has its origin only.
   */
  updatePolicy(
    changes: RuleChanges,
    actions: ActionRules,
    notifyUrl?: string | null,
  ): Change<ApprovalPolicy> {
    const own = this.#ownRules();
    for (const [name, change] of Object.entries(changes))
      if (change === null) delete own[name];
      else own[name] = { ...own[name], ...change };
    const policy = wholePolicy(actions, own);
    const faults = Object.entries(policy).flatMap(([name, rule]) =>
      deadlockFaults(rule, `actions.${name}`),
    );
    if (faults.length > 0)
      return refusal(
        'validation_failed',
        'Somebody has to be able to decide: name a role, or members enough.',
        faults,
      );
    this.#write('policy', JSON.stringify(own));
    if (notifyUrl === null) this.#remove('notify_url');
    else if (notifyUrl !== undefined) this.#write('notify_url', notifyUrl);
    const target = { type: 'policy', id: 'approval' };
    return changed(policy, 'policy.updated', target, {
      actions: plain(changes),
      ...(notifyUrl === undefined ? {} : { notifyUrl: notifyUrl && new URL(notifyUrl).origin }),
    });
  }

  /** Makes pseudonyms that only this tenant can make again. @param fresh what it is from now on */
  privacySalt(fresh: () => string): string {
    const known = this.#read('privacy_salt');
    if (known !== null) return known;
    const salt = fresh();
    this.#write('privacy_salt', salt);
    return salt;
  }

  /** Names of the settings of which something holds. */
  namesWhere(holds: (text: string) => boolean): string[] {
    return this.#sql
      .exec<{ name: string; value: string }>('SELECT name, value FROM settings')
      .toArray()
      .flatMap(({ name, value }) => (holds(value) ? [name] : []));
  }

  connections(): SealedConnection[] {
    return this.#sql
      .exec<{ value: string }>(
        `SELECT value FROM settings WHERE name LIKE 'connection:%' ORDER BY name`,
      )
      .toArray()
      .map((row) => JSON.parse(row.value));
  }

  connection(kind: ConnectionKind): SealedConnection | null {
    const value = this.#read(`connection:${kind}`);
    return value === null ? null : JSON.parse(value);
  }

  setConnection(
    connection: SealedConnection,
    action: 'connection.set' | 'connection.rotated',
  ): Change<Connection> {
    const { kind, settings, secrets } = connection;
    this.#write(`connection:${kind}`, JSON.stringify(connection));
    const data = { settings: { ...settings }, secrets: Object.keys(secrets) };
    return changed(connectionView(connection), action, { type: 'connection', id: kind }, data);
  }

  /** The same secret, sealed anew. False when another one stands there by now. */
  replaceSecret(kind: ConnectionKind, name: string, from: string, to: string): boolean {
    const connection = this.connection(kind);
    if (connection?.secrets[name] !== from) return false;
    const secrets = { ...connection.secrets, [name]: to };
    this.#write(`connection:${kind}`, JSON.stringify({ ...connection, secrets }));
    return true;
  }

  removeConnection(kind: ConnectionKind): Change<null> {
    if (this.connection(kind) === null)
      return refusal('not_found', `There is no ${kind} connection.`);
    this.#remove(`connection:${kind}`);
    return changed(null, 'connection.removed', { type: 'connection', id: kind }, {});
  }

  #ownRules(): OwnRules {
    const value = this.#read('policy');
    return value === null ? {} : JSON.parse(value);
  }

  #read(name: string): string | null {
    const row = this.#sql
      .exec<{ value: string }>('SELECT value FROM settings WHERE name = ?', name)
      .toArray()[0];
    return row?.value ?? null;
  }

  #write(name: string, value: string): void {
    this.#sql.exec('INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)', name, value);
  }

  #remove(name: string): void {
    this.#sql.exec('DELETE FROM settings WHERE name = ?', name);
  }
}

/** Without the fields that zod leaves undefined: canonical JSON has no such thing. */
function plain(changes: RuleChanges): JsonObject {
  return JSON.parse(JSON.stringify(changes));
}

/** A connection as callers see it: which secrets are set, none of their text. */
export function connectionView({
  kind,
  settings,
  secrets,
  updatedAt,
}: SealedConnection): Connection {
  return { kind, settings, secrets: Object.keys(secrets), updatedAt };
}
