/**
 * A run that has ended without success is done again, by another run of the same event. The row that
 * the new run has in the intake is named by the old one, so that nobody does it twice.
 */
import { refusal } from '../contract/problems.ts';
import type { Run, RunItem } from '../contract/runs.ts';
import type { Workflow } from '../contract/workflows.ts';
import type { RunOrigin } from '../db/runs.ts';
import type { StoredEvent } from '../db/triggers.ts';
import { newId } from '../ids.ts';
import { queuedItem } from './admission.ts';
import { type By, type Change, changed } from './change.ts';
import { placeOfRetry } from './intake.ts';
import { queuedParcel } from './ledger.ts';
import type { RunStart } from './messages.ts';
import type { Stores } from './stores.ts';

/** A run as the read model has it, with its event; the object itself keeps neither. */
export interface EndedRun {
  readonly item: RunItem;
  /** Null for runs from before it was kept. */
  readonly origin: RunOrigin | null;
  readonly record: StoredEvent;
}

export interface RetryWish {
  /** By the workflow's current version. */
  readonly latest: boolean;
  readonly comment: string | null;
}

/** Inside the tenant's transaction. */
export function retryRun(
  { intake, workflows, openRuns, parcels }: Stores,
  { item, origin, record }: EndedRun,
  { latest, comment }: RetryWish,
  by: By,
  at: string,
): Change<Run> {
  const place = placeOfRetry(item.id);
  const [known] = intake.answered(place.source, place.eventId)?.runs ?? [];
  if (known !== undefined)
    return refusal('conflict', `It was retried already, as ${known}. Look at that one.`);
  const workflow = workflows.find(item.workflowId, latest ? undefined : item.workflowVersion);
  if (workflow === null) return refusal('not_found', 'There is no such workflow.');
  if (!workflow.enabled)
    return refusal('conflict', 'The workflow is disabled: it starts no runs. Enable it first.');
  if (workflow.trigger.event !== record.type)
    return refusal('conflict', `Its current version is for events of ${workflow.trigger.event}.`);
  const run = startOf(workflow, { item, origin }, by, at);
  parcels.put(queuedParcel(openRuns.giveAgain(place, record, run)));
  const { id: workflowId, version: workflowVersion } = workflow;
  const told = { workflowId, workflowVersion, retriedAs: run.runId, comment };
  const unbegun = { retriedBy: null, steps: [], approvals: [], timeline: [] };
  return changed(
    { ...queuedItem(run, record), retryOf: item.id, ...unbegun },
    'run.retried',
    { type: 'run', id: item.id },
    told,
  );
}

/** It is on the path that the old one was on, and whoever asked for that one has asked for this. */
function startOf(
  { id, name, version, updatedBy }: Workflow,
  { item, origin }: Pick<EndedRun, 'item' | 'origin'>,
  { actor, requestId }: By,
  at: string,
): RunStart {
  const authors = new Set([...(origin?.authors ?? []), updatedBy.id, actor.id]);
  return {
    runId: newId('run'),
    requestId,
    workflow: { id, name, version },
    authors: [...authors],
    path: origin?.path ?? [id],
    retry: { of: item.id, at },
  };
}
