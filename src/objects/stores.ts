/** The tables of a tenant's object, each with its one owner. They come to be with the tenant. */
import type { Tenant } from '../contract/tenants.ts';
import type { Subtree } from '../engine/merkle-kept.ts';
import { Admission } from './admission.ts';
import { AuditLog } from './audit-log.ts';
import { Budgets } from './budgets.ts';
import { Checkpoints } from './checkpoints.ts';
import { Delegations } from './delegations.ts';
import { Destinations } from './destinations.ts';
import { Downloads } from './downloads.ts';
import { EndedRuns } from './ended-runs.ts';
import { Idempotency } from './idempotency.ts';
import { IgnoredTopics } from './ignored-topics.ts';
import { Intake } from './intake.ts';
import { ApiKeys } from './keys.ts';
import { Limits } from './limits.ts';
import { LinkGuesses } from './link-guesses.ts';
import { LiveRuns } from './live-runs.ts';
import { MailQueue } from './mail-queue.ts';
import { Members } from './members.ts';
import { OpenRuns } from './open-runs.ts';
import { Outbox } from './outbox.ts';
import { Parcels } from './parcels.ts';
import { Redeliveries } from './redeliveries.ts';
import { RetentionClock } from './retention.ts';
import { Settings } from './settings.ts';
import { triggerRevision } from './triggers.ts';
import { Workflows } from './workflows.ts';

export interface Stores {
  readonly tenant: Tenant;
  readonly settings: Settings;
  readonly retention: RetentionClock;
  readonly limits: Limits;
  readonly keys: ApiKeys;
  readonly members: Members;
  readonly delegations: Delegations;
  readonly budgets: Budgets;
  readonly workflows: Workflows;
  readonly idempotency: Idempotency;
  readonly ignoredTopics: IgnoredTopics;
  readonly admission: Admission;
  readonly intake: Intake;
  readonly openRuns: OpenRuns;
  readonly liveRuns: LiveRuns;
  readonly endedRuns: EndedRuns;
  readonly linkGuesses: LinkGuesses;
  readonly destinations: Destinations;
  readonly redeliveries: Redeliveries;
  readonly downloads: Downloads;
  readonly audit: AuditLog;
  readonly checkpoints: Checkpoints;
  readonly outbox: Outbox;
  readonly parcels: Parcels;
  readonly mails: MailQueue;
}

/** Opens the tables, making those that are missing. */
export function openStores(sql: SqlStorage, tenant: Tenant): Stores {
  const settings = new Settings(sql);
  const workflows = new Workflows(sql);
  const intake = new Intake(sql);
  const delegations = new Delegations(sql);
  const outbox = new Outbox(sql);
  const keep = (subtree: Subtree) => parcels.put({ subtrees: [subtree] });
  const audit = new AuditLog(sql, tenant.id, keep);
  const parcels = new Parcels(outbox, audit);
  const revision = () => triggerRevision(settings, workflows, audit, parcels);
  return {
    tenant,
    settings,
    retention: new RetentionClock(tenant.id, settings),
    limits: new Limits(sql, settings, intake),
    keys: new ApiKeys(sql),
    members: new Members(sql, delegations),
    delegations,
    budgets: new Budgets(sql),
    workflows,
    idempotency: new Idempotency(sql),
    ignoredTopics: new IgnoredTopics(sql),
    admission: new Admission(tenant, intake, workflows, revision),
    intake,
    openRuns: new OpenRuns(intake),
    liveRuns: new LiveRuns(intake),
    endedRuns: new EndedRuns(intake),
    linkGuesses: new LinkGuesses(sql),
    destinations: new Destinations(sql),
    redeliveries: new Redeliveries(sql),
    downloads: new Downloads(sql),
    audit,
    checkpoints: new Checkpoints(sql),
    outbox,
    parcels,
    mails: new MailQueue(sql),
  };
}

/** The stores of a tenant that was created; null for a name that is nobody's, which stores nothing. */
export function existingStores(sql: SqlStorage): Stores | null {
  const tables = sql.exec(`SELECT 1 FROM sqlite_master WHERE name = 'settings'`).toArray();
  if (tables.length === 0) return null;
  const tenant = new Settings(sql).tenant();
  return tenant === null ? null : openStores(sql, tenant);
}
