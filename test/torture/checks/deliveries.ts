/** Deliveries: each is there, signed, under its own id, and again only across a kill or a failure. */
import type { Entry } from '../../../src/contract/entries.ts';
import type { Run } from '../../../src/contract/runs.ts';
import type { Arrival } from '../story.ts';
import { type Case, doubled, type Finding, finder, sameIds } from './finding.ts';

const lost = finder('deliveries lost');
const twice = finder('deliveries doubled');
const madeUp = finder('deliveries made up');
const differs = finder('deliveries that differ');
const logged = finder('delivery log');

export function checkDeliveries(of: Case): Finding[] {
  return [
    ...[...of.arrivals].flatMap(([webhookId, arrivals]) => checkArrivals(webhookId, arrivals, of)),
    ...of.recorded.runs.flatMap((run) => checkDelivered(run, of)),
    ...checkLog(of),
  ];
}

function checkArrivals(webhookId: string, arrivals: readonly Arrival[], of: Case): Finding[] {
  const findings: Finding[] = [];
  if (arrivals.some(({ isSigned }) => !isSigned))
    findings.push(differs(webhookId, 'its signature does not verify'));
  if (new Set(arrivals.map(({ path, body }) => `${path} ${body}`)).size > 1)
    findings.push(differs(webhookId, 'another body, or another place, under one id'));
  const found = stepOf(webhookId, of);
  if (found === null) return [...findings, madeUp(webhookId, 'no step of any run has begun it')];
  if (!areExplained(arrivals, found, of))
    findings.push(twice(webhookId, `taken, and sent again: ${arrivals.map(({ at }) => at)}`));
  return findings;
}

/** The entries of the step that sends under an id: `<run>_<step>`. */
function stepOf(webhookId: string, { runs }: Case): readonly Entry[] | null {
  const [, runId = '', stepId = ''] = /^(run_[0-9a-f]+)_(.+)$/.exec(webhookId) ?? [];
  const entries = (runs.get(runId)?.timeline ?? []).filter(
    (entry) => 'stepId' in entry && entry.stepId === stepId,
  );
  return entries.some(({ type }) => type === 'attempt_started') ? entries : null;
}

/** Whoever kills looks for processes first, and hears no request meanwhile: what was sent before is noted after. */
const NOTED_LATE_MS = 500;

/**
 * Once it was taken, it may come again only when whoever sent it has died meanwhile, or has not had
 * the answer, which it says.
 */
function areExplained(
  arrivals: readonly Arrival[],
  step: readonly Entry[],
  { story }: Case,
): boolean {
  const unheard = step.some(
    (entry) =>
      entry.type === 'attempt_failed' &&
      ['timeout', 'connection_failed', 'attempt_lost'].includes(entry.error.code),
  );
  return arrivals.every(({ at, status }, index) => {
    const next = arrivals[index + 1];
    if (next === undefined || status !== 200) return true;
    return (
      unheard || story.kills.some((kill) => kill.at >= at - NOTED_LATE_MS && kill.at <= next.at)
    );
  });
}

/** A step that says that it delivered has. */
function checkDelivered(run: Run, { arrivals }: Case): Finding[] {
  return run.timeline.flatMap((entry) => {
    if (entry.type !== 'attempt_succeeded' || entry.delivery === undefined) return [];
    const webhookId = `${run.id}_${entry.stepId}`;
    const isTaken = arrivals.get(webhookId)?.some(({ status }) => status === 200);
    return isTaken === true ? [] : [lost(webhookId, 'the run says that it was delivered')];
  });
}

/** One row for each attempt that made a request. */
function checkLog({ recorded }: Case): Finding[] {
  const rows = recorded.deliveries.map(({ id }) => id);
  const made = recorded.runs.flatMap((run) =>
    run.timeline.flatMap((entry) =>
      (entry.type === 'attempt_succeeded' || entry.type === 'attempt_failed') &&
      entry.delivery !== undefined
        ? [entry.delivery.id]
        : [],
    ),
  );
  const known = new Set(rows);
  const missing = made.filter((id) => !known.has(id));
  return [
    ...doubled(rows).map((id) => logged(id, 'it is there more than once')),
    ...(sameIds(rows, made)
      ? []
      : [logged(missing[0] ?? '', `${rows.length} rows for ${made.length} attempts`)]),
  ];
}
