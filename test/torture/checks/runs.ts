/** I2 and I3: each run ended once, its timeline has no gap, its gates were opened by enough people. */
import type { Entry } from '../../../src/contract/entries.ts';
import { isFinal, type Run } from '../../../src/contract/runs.ts';
import { type Case, doubled, eventKey, type Finding, finder } from './finding.ts';

const twice = finder('runs doubled');
const madeUp = finder('runs made up');
const unfinished = finder('runs unfinished');
const broken = finder('timelines broken');
const changed = finder('final states changed');
const differs = finder('lists that differ');
const ungated = finder('gates passed');

const FINAL = /^run_(succeeded|failed|denied|expired|cancelled)$/;

export function checkRuns(of: Case): Finding[] {
  const { items, runs, tenantId } = of.recorded;
  const starts = runs.map((run) => eventKey(run.workflowId, run.eventId));
  const named = new Set(of.recorded.events.flatMap((event) => event.runs));
  return [
    ...doubled(items.map(({ id }) => id)).map((id) => twice(id, 'the list has it more than once')),
    ...doubled(starts).map((start) => twice(start, 'one workflow started twice for one event')),
    ...runs.filter(({ id }) => !named.has(id)).map(({ id }) => madeUp(id, 'no event has it')),
    ...runs.flatMap((run) => checkRun(run)),
    ...items.flatMap((item) => {
      const run = of.runs.get(item.id);
      return run?.status === item.status && run.finishedAt === item.finishedAt
        ? []
        : [differs(item.id, `${item.status} in the list, ${run?.status} by itself`)];
    }),
    ...[...of.story.sightings.values()]
      .filter((sighting) => sighting.tenantId === tenantId)
      .flatMap((sighting) => checkSighting(sighting.run, of.runs.get(sighting.run.id))),
    ...checkApprovals(of),
  ];
}

function checkRun(run: Run): Finding[] {
  const { id, status, timeline } = run;
  const findings: Finding[] = [];
  if (!isFinal(status)) findings.push(unfinished(id, `it is ${status}`));
  if (!timeline.every(({ seq }, index) => seq === index + 1))
    findings.push(broken(id, `numbers ${timeline.map(({ seq }) => seq)}`));
  const ends = timeline.filter(({ type }) => FINAL.test(type));
  if (ends.length > 1 || (isFinal(status) && ends[0]?.type !== `run_${status}`))
    findings.push(broken(id, `it is ${status} by ${ends.map(({ type }) => type)}`));
  return [...findings, ...checkAttempts(run)];
}

/** Of each step one attempt after the other, none after a success, and none before its gate is open. */
function checkAttempts({ id, timeline }: Run): Finding[] {
  const findings: Finding[] = [];
  const steps = Map.groupBy(
    timeline.flatMap((entry) => ('stepId' in entry ? [entry] : [])),
    ({ stepId }) => stepId,
  );
  for (const [stepId, entries] of steps) {
    const started = entries.filter(({ type }) => type === 'attempt_started');
    if (started.some((entry, n) => entry.type === 'attempt_started' && entry.attempt !== n + 1))
      findings.push(broken(id, `${stepId}: attempts are not counted from 1`));
    if (entries.filter(({ type }) => type === 'attempt_succeeded').length > 1)
      findings.push(broken(id, `${stepId}: it succeeded more than once`));
    findings.push(...checkGate(id, stepId, entries));
  }
  return findings;
}

function checkGate(id: string, stepId: string, entries: readonly Entry[]): Finding[] {
  const asked = entries.find((entry) => entry.type === 'approval_requested');
  const first = entries.findIndex(({ type }) => type === 'attempt_started');
  if (asked?.type !== 'approval_requested' || first < 0) return [];
  const before = entries.slice(0, first);
  const since = before.findLastIndex(({ type }) => type === 'approval_edited');
  const votes = before.slice(since + 1).flatMap((entry) => {
    if (entry.type !== 'approval_approved') return [];
    return [entry.onBehalfOf?.id ?? entry.actor.id];
  });
  const isOpen = before.some(({ type }) => type === 'approval_granted');
  const isEnough = votes.length >= asked.rule.approvals && doubled(votes).length === 0;
  return isOpen && isEnough
    ? []
    : [ungated(id, `${stepId}: begun after votes of ${votes}, of ${asked.rule.approvals}`)];
}

/** What was seen once stays: the end, and every entry. */
function checkSighting(seen: Run, now: Run | undefined): Finding[] {
  if (now === undefined) return [changed(seen.id, 'it was there, and is gone')];
  const begins = JSON.stringify(now.timeline.slice(0, seen.timeline.length));
  if (begins !== JSON.stringify(seen.timeline))
    return [changed(seen.id, 'its timeline does not begin as it did')];
  const isSame = seen.status === now.status && seen.finishedAt === now.finishedAt;
  return !isFinal(seen.status) || isSame
    ? []
    : [changed(seen.id, `it was ${seen.status}, and is ${now.status}`)];
}

/** The inbox tells what the runs do: each approval once, in the same state. */
function checkApprovals({ recorded, runs }: Case): Finding[] {
  const ids = recorded.approvals.map(({ id }) => id);
  const wanted = recorded.runs.flatMap((run) => run.approvals);
  const listed = new Map(recorded.approvals.map((approval) => [approval.id, approval]));
  return [
    ...doubled(ids).map((id) => twice(id, 'the inbox has it in more than one state')),
    ...recorded.approvals
      .filter(({ runId }) => !runs.has(runId))
      .map(({ id, runId }) => madeUp(id, `there is no run ${runId}`)),
    ...wanted
      .filter(({ id, status }) => listed.get(id)?.status !== status)
      .map(({ id, status }) => differs(id, `${listed.get(id)?.status} in the inbox, ${status}`)),
  ];
}
