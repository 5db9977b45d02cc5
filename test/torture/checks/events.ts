/** I1: what was answered 202 is there, once, and started each workflow once. */
import type { EventRecord } from '../../../src/contract/events.ts';
import { outcomeOf, type SentEvent } from '../story.ts';
import { type Case, doubled, eventKey, type Finding, finder, sameIds } from './finding.ts';

const lost = finder('events lost');
const twice = finder('events doubled');
const madeUp = finder('events made up');
const contradicted = finder('answers contradicted');
const wrongRuns = finder('runs of events');

export function checkEvents(of: Case): Finding[] {
  const keys = of.recorded.events.map(({ source, eventId }) => eventKey(source, eventId));
  return [
    ...doubled(keys).map((key) => twice(key, 'the log has it more than once')),
    ...of.sent.flatMap((event) => checkSent(event, of)),
    ...checkOwn(of),
    ...of.recorded.events.flatMap((event) => checkRuns(event, of)),
    ...checkCaused(of),
  ];
}

function checkSent(event: SentEvent, { events }: Case): Finding[] {
  const found = events.get(eventKey(event.source, event.id));
  const findings: Finding[] = [];
  if (outcomeOf(event) === 'ok' && found === undefined)
    findings.push(lost(event.id, `a ${event.type} was answered 202`));
  for (const answer of event.answers)
    if (found !== undefined && (answer.id !== found.id || !sameIds(answer.runs, found.runs)))
      findings.push(contradicted(event.id, `${JSON.stringify(answer)} became ${found.id}`));
  if (event.answers.filter(({ duplicate }) => !duplicate).length > 1)
    findings.push(contradicted(event.id, 'it was new more than once'));
  return findings;
}

/** Nothing is in the log that was refused, or that nobody has sent. */
function checkOwn({ recorded, sent }: Case): Finding[] {
  const known = new Map(sent.map((event) => [eventKey(event.source, event.id), event]));
  const sources = new Set(sent.map(({ source }) => source));
  return recorded.events
    .filter(({ source }) => sources.has(source))
    .filter(({ source, eventId }) => {
      const event = known.get(eventKey(source, eventId));
      return event === undefined || outcomeOf(event) === 'fail';
    })
    .map(({ id }) => madeUp(id, 'nobody was told that it is taken'));
}

/** One run for each workflow that matched, and no other. */
function checkRuns({ id, runs, matches }: EventRecord, of: Case): Finding[] {
  const made = runs.flatMap((runId) => of.runs.get(runId) ?? []);
  const wanted = matches.flatMap(({ matched, workflowId }) => (matched ? [workflowId] : []));
  const got = made.map(({ workflowId }) => workflowId);
  if (made.length < runs.length) return [wrongRuns(id, `the log lacks some of ${runs}`)];
  return sameIds(wanted, got) && made.every(({ eventId }) => eventId === id)
    ? []
    : [wrongRuns(id, `wanted runs of ${wanted}, got of ${got}`)];
}

/** Every event that an attempt caused was taken. */
function checkCaused({ recorded, events }: Case): Finding[] {
  return recorded.runs.flatMap(({ id, timeline }) =>
    timeline
      .flatMap((entry) => (entry.type === 'attempt_succeeded' ? entry.events : []))
      .filter((caused) => !events.has(eventKey(`/runs/${id}`, caused.id)))
      .map((caused) => lost(caused.id, `run ${id} caused a ${caused.type}`)),
  );
}
