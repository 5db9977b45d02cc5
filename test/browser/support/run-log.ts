/**
 * Rows of the run log put into D1 beside the running server, in one statement: a history that would take
 * hours to live through. The lists read D1 alone, so to them it is as any other.
 */
import { DatabaseSync } from 'node:sqlite';
import type { RunStatus } from '../../../src/contract/runs.ts';
import { databaseFile } from '../../e2e/support/database.ts';

export interface PastRun {
  readonly workflowId: string;
  readonly workflowName: string;
  readonly status: RunStatus;
  readonly at: number;
  readonly tookMs: number;
}

export function insertRuns(stateDir: string, tenantId: string, runs: readonly PastRun[]): void {
  const database = new DatabaseSync(databaseFile(stateDir));
  try {
    database.exec('PRAGMA busy_timeout = 10000');
    database
      .prepare(
        `INSERT INTO runs (tenant_id, id, seq, workflow_id, workflow_name, workflow_version, event_id,
           event_type, status, request_id, correlation_id, created_at, finished_at)
         SELECT ?1, value ->> 'id', 2, value ->> 'workflowId', value ->> 'workflowName', 1,
           value ->> 'eventId', 'order.created', value ->> 'status', value ->> 'eventId',
           value ->> 'eventId', value ->> 'createdAt', value ->> 'finishedAt' FROM json_each(?2)`,
      )
      .run(tenantId, JSON.stringify(runs.map(rowOf)));
  } finally {
    database.close();
  }
}

function rowOf({ at, tookMs, workflowId, workflowName, status }: PastRun, index: number) {
  const unique = `${at.toString(16).padStart(12, '0')}7${String(index).padStart(19, '0')}`;
  return {
    id: `run_${unique}`,
    eventId: `evt_${unique}`,
    workflowId,
    workflowName,
    status,
    createdAt: new Date(at).toISOString(),
    finishedAt: new Date(at + tookMs).toISOString(),
  };
}
