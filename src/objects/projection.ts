/**
 * The one way into D1: parcels from a tenant's outbox, applied in batches, each an idempotent upsert.
 * A batch is one transaction. Nobody else writes the read model; it can be rebuilt from the actors.
 */
import type { AuditEntry } from '../contract/audit.ts';
import type { AuditCheckpoint } from '../contract/checkpoints.ts';
import type { Member } from '../contract/members.ts';
import type { Tenant } from '../contract/tenants.ts';
import { type ApprovalParcel, upsertApprovals } from '../db/approvals.ts';
import { insertAudit } from '../db/audit.ts';
import { insertSubtrees } from '../db/audit-subtrees.ts';
import { insertCheckpoints } from '../db/checkpoints.ts';
import { type DeliveryParcel, insertDeliveries } from '../db/deliveries.ts';
import { insertEvents } from '../db/events.ts';
import { type FrontendKey, upsertFrontendKeys } from '../db/frontend-keys.ts';
import { upsertMembers } from '../db/members.ts';
import { type OldRows, removeOld } from '../db/retention.ts';
import { type RunParcel, upsertRuns } from '../db/runs.ts';
import { insertTenant, updateFlagsService } from '../db/tenants.ts';
import { insertTriggers, type StoredEvent, type TriggerChange } from '../db/triggers.ts';
import type { Subtree } from '../engine/merkle-kept.ts';
import { feedOrders } from '../ports/feed-orders.ts';

/** What one transition of a tenant brings to the read model. */
export interface Parcel {
  readonly tenant?: Tenant;
  readonly members?: readonly Member[];
  readonly frontendKeys?: readonly FrontendKey[];
  /** Who keeps the tenant's flags from now on; null: the product. */
  readonly flagsService?: string | null;
  /** Of workflows that were enabled, disabled or edited. */
  readonly triggers?: readonly TriggerChange[];
  readonly events?: readonly StoredEvent[];
  readonly runs?: readonly RunParcel[];
  readonly approvals?: readonly ApprovalParcel[];
  readonly deliveries?: readonly DeliveryParcel[];
  readonly audit?: readonly AuditEntry[];
  readonly subtrees?: readonly Subtree[];
  readonly checkpoints?: readonly AuditCheckpoint[];
  /** What the tenant has kept for as long as it said. */
  readonly old?: OldRows;
}

/** Where a tenant's parcels go. */
export interface ReadModelStores {
  /** Has the tenant, and its members, among all others. */
  readonly directory: D1Database;
  /** The database that has all the rest; it may be the same one. */
  readonly own: D1Database;
  readonly number: number;
}

/**
 * Applies parcels, oldest first, in one transaction for each database, the directory's first. Doing it
 * twice changes nothing. @returns whether anything was new
 */
export async function applyParcels(
  { directory, own: db, number }: ReadModelStores,
  tenantId: string,
  parcels: readonly Parcel[],
): Promise<boolean> {
  const triggers = parcels.flatMap((parcel) => parcel.triggers ?? []);
  const events = parcels.flatMap((parcel) => parcel.events ?? []);
  const runs = parcels.flatMap((parcel) => parcel.runs ?? []);
  const approvals = parcels.flatMap((parcel) => parcel.approvals ?? []);
  const deliveries = parcels.flatMap((parcel) => parcel.deliveries ?? []);
  const members = parcels.flatMap((parcel) => parcel.members ?? []);
  const keys = parcels.flatMap((parcel) => parcel.frontendKeys ?? []);
  const audit = parcels.flatMap((parcel) => parcel.audit ?? []);
  const subtrees = parcels.flatMap((parcel) => parcel.subtrees ?? []);
  const checkpoints = parcels.flatMap((parcel) => parcel.checkpoints ?? []);
  const tenants = (into: D1Database) =>
    parcels.flatMap(({ tenant }) =>
      tenant === undefined ? [] : [insertTenant(into, tenant, number)],
    );
  const found = members.length > 0 ? [upsertMembers(directory, tenantId, members)] : [];
  const apart = directory === db ? [] : [...tenants(directory), ...found];
  const isFound = apart.length > 0 && hasChanged(await directory.batch(apart));
  const statements = [
    ...tenants(db),
    ...(directory === db ? found : []),
    ...(keys.length > 0 ? [upsertFrontendKeys(db, tenantId, keys)] : []),
    ...parcels.flatMap(({ flagsService: service }) =>
      service === undefined ? [] : [updateFlagsService(db, tenantId, service)],
    ),
    ...(triggers.length > 0 ? [insertTriggers(db, tenantId, triggers)] : []),
    ...(events.length > 0 ? [insertEvents(db, tenantId, events)] : []),
    ...(events.length > 0 ? feedOrders(db, tenantId, events, Date.now()) : []),
    ...(runs.length > 0 ? upsertRuns(db, tenantId, runs) : []),
    ...(approvals.length > 0 ? [upsertApprovals(db, tenantId, approvals)] : []),
    ...(deliveries.length > 0 ? [insertDeliveries(db, tenantId, deliveries)] : []),
    ...(audit.length > 0 ? [insertAudit(db, tenantId, audit)] : []),
    ...(subtrees.length > 0 ? [insertSubtrees(db, tenantId, subtrees)] : []),
    ...(checkpoints.length > 0 ? [insertCheckpoints(db, tenantId, checkpoints)] : []),
    ...parcels.flatMap(({ old }) => (old === undefined ? [] : removeOld(db, tenantId, old))),
  ];
  return (statements.length > 0 && hasChanged(await db.batch(statements))) || isFound;
}

function hasChanged(results: readonly D1Result[]): boolean {
  return results.some(({ meta }) => meta.rows_written > 0);
}
