/** Decisions of people: each that was answered 200 counts once, in the run and in the audit. */
import type { Entry } from '../../../src/contract/entries.ts';
import { type Operation, outcomeOf } from '../story.ts';
import { type Case, type Finding, finder } from './finding.ts';

const lost = finder('votes lost');
const twice = finder('votes doubled');
const madeUp = finder('votes made up');

/** The entry that each deed leaves in a run, and how often at least. */
const ENTRY_OF: Readonly<Record<string, { readonly type: Entry['type']; readonly least: number }>> =
  {
    approve: { type: 'approval_approved', least: 1 },
    deny: { type: 'approval_denied', least: 1 },
    cancel: { type: 'run_cancelled', least: 1 },
    edit: { type: 'approval_edited', least: 1 },
    view: { type: 'approval_viewed', least: 0 },
  };

export function checkVotes(of: Case): Finding[] {
  const deeds = of.operations.filter(({ kind }) => ENTRY_OF[kind] !== undefined);
  const known = new Map(deeds.map((deed) => [deed.requestId, deed]));
  return [
    ...deeds.flatMap((deed) => checkDeed(deed, of)),
    ...of.recorded.runs.flatMap((run) =>
      run.timeline.flatMap((entry) => {
        if (!('requestId' in entry) || entry.type === 'run_created') return [];
        const deed = known.get(entry.requestId);
        const isBelieved = deed !== undefined && outcomeOf(deed) !== 'fail';
        return isBelieved ? [] : [madeUp(run.id, `${entry.type} by ${entry.requestId}`)];
      }),
    ),
  ];
}

function checkDeed(deed: Operation, { runs }: Case): Finding[] {
  const { subject, requestId, kind, actorId } = deed;
  const told = ENTRY_OF[kind];
  const entries = (runs.get(subject)?.timeline ?? []).filter(
    (entry) => 'requestId' in entry && entry.requestId === requestId && entry.type === told?.type,
  );
  const findings: Finding[] = [];
  if (outcomeOf(deed) === 'ok' && entries.length < (told?.least ?? 0))
    findings.push(lost(subject, `${kind} ${requestId} was answered 200`));
  if (entries.length > 1) findings.push(twice(subject, `${kind} ${requestId}`));
  for (const entry of entries)
    if (actorId !== null && 'actor' in entry && entry.actor.id !== actorId)
      findings.push(madeUp(subject, `${requestId} was ${actorId}, not ${entry.actor.id}`));
  return findings;
}
