/**
 * What the read model learns of triggers, so that an event need not say of each workflow that did not
 * start why (db/triggers.ts): each change leaves with its audit entry, and an event names the last entry
 * by the time that its workflows were looked up. Parcels leave before events that name them do.
 */
import type { AuditEntry } from '../contract/audit.ts';
import type { Workflow } from '../contract/workflows.ts';
import type { TriggerChange } from '../db/triggers.ts';
import type { AuditLog } from './audit-log.ts';
import type { Parcels } from './parcels.ts';
import type { Parcel } from './projection.ts';
import type { Settings } from './settings.ts';
import type { Workflows } from './workflows.ts';

/** So many of them, with conditions of 4,096 characters, are a row that an object can store. */
const PER_PARCEL = 100;

/** What leaves with the audit entry of a change, in its transaction. */
export function triggersChangedBy(
  { target, seq }: AuditEntry,
  workflows: Workflows,
): Pick<Parcel, 'triggers'> {
  const workflow = target.type === 'workflow' ? workflows.find(target.id) : null;
  return workflow === null ? {} : { triggers: [changeOf(workflow, workflow.enabled, seq)] };
}

/** By which the read model knows the workflows as they are now. Inside the caller's transaction. */
export function triggerRevision(
  settings: Settings,
  workflows: Workflows,
  audit: AuditLog,
  parcels: Parcels,
): number {
  const { size } = audit.head();
  if (!settings.hasToldTriggers()) {
    // Workflows that were enabled before changes of them were told.
    const all = workflows
      .enabled(null)
      .map(({ id, version, definition: { trigger } }) =>
        changeOf({ id, version, trigger }, true, size),
      );
    for (let from = 0; from < all.length; from += PER_PARCEL)
      parcels.put({ triggers: all.slice(from, from + PER_PARCEL) });
    settings.setToldTriggers();
  }
  return size;
}

function changeOf(
  { id, version, trigger }: Pick<Workflow, 'id' | 'version' | 'trigger'>,
  enabled: boolean,
  since: number,
): TriggerChange {
  const { event, if: condition = null } = trigger;
  return { workflowId: id, since, version, eventType: enabled ? event : null, condition };
}
