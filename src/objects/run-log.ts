/** A run's entries as log lines. One call writes them all: a call of the console costs more than a line. */
import { logAll } from '../log.ts';
import type { RunReport } from './messages.ts';

export function logEntries(tenantId: string, { runId, item, entries, cause }: RunReport): void {
  const { requestId } = cause;
  const { workflowId } = item;
  logAll(
    entries.map((entry) => ({
      what: entry.type,
      ...{ requestId, tenantId, runId, workflowId },
      ...('stepId' in entry ? { stepId: entry.stepId } : {}),
      ...('attempt' in entry ? { attempt: entry.attempt } : {}),
      ...('error' in entry ? { code: entry.error.code } : {}),
    })),
  );
}
