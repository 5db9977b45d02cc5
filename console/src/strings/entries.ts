/** What each entry of a run's timeline says, in a sentence. */
import type { Entry } from '../../../src/contract/entries.ts';
import { visible } from '../ui/text.ts';

type Words = {
  readonly [Type in Entry['type']]: (entry: Extract<Entry, { type: Type }>) => string;
};

const WORDS: Words = {
  run_created: ({ workflowName, workflowVersion, retryOf }) =>
    `${workflowName}, version ${workflowVersion}, was started${retryOf === undefined ? '' : ' again'}`,
  step_skipped: ({ reason }) => `Skipped: ${reason}`,
  step_started: ({ action }) => (action === null ? 'Begun' : `Begun: ${action}`),
  budget_asked: () => 'Asked whether the budget allows it without a person',
  budget_reserved: () => 'Within the budget: nobody is asked',
  budget_exceeded: ({ detail }) => detail,
  delay_started: () => 'Waits',
  delay_ended: () => 'The wait is over',
  approval_requested: ({ kind, rule }) =>
    kind === 'resolve'
      ? 'Asked whether it happened'
      : `Asked for ${rule.approvals === 1 ? 'an approval' : `${rule.approvals} approvals`}`,
  approval_approved: ({ actor, onBehalfOf, comment, resolution }) =>
    said(`${who(actor.name, onBehalfOf?.name)} ${answered(resolution)}`, comment),
  approval_denied: ({ actor, onBehalfOf, comment }) =>
    said(`${who(actor.name, onBehalfOf?.name)} denied`, comment),
  approval_viewed: ({ actor }) => `${actor.name} has looked at it`,
  approval_reminded: () => 'Those who may decide were reminded',
  approval_escalated: () => 'Nobody decided in time: it went on to others',
  approval_edited: ({ actor, comment, changes }) =>
    said(
      `${actor.name} changed ${changes.map(({ path }) => path).join(', ') || 'the inputs'}; the votes start again`,
      comment,
    ),
  approval_overridden: ({ actor, comment }) => said(`${actor.name} broke the glass`, comment),
  approval_granted: () => 'Approved: it goes on',
  approval_expired: () => 'Nobody decided in time',
  approval_cancelled: () => 'Not asked any more',
  attempt_started: ({ attempt }) => `Attempt ${attempt}`,
  attempt_succeeded: ({ attempt }) => `Attempt ${attempt} succeeded`,
  attempt_failed: ({ attempt, error, retryAt, inDoubt }) =>
    `Attempt ${attempt} failed: ${error.message}${inDoubt === true ? ' It may have been carried out.' : ''}${retryAt === null ? '' : ' It is tried again.'}`,
  step_progressed: ({ progress }) => `Went on: ${JSON.stringify(progress)}`,
  step_resolved: () => 'Somebody said that it happened',
  step_failed: ({ error }) => `Failed: ${error.message}`,
  run_succeeded: () => 'The run succeeded',
  run_failed: ({ error }) => `The run failed: ${error.message}`,
  run_denied: ({ error }) => `The run was denied: ${error.message}`,
  run_expired: ({ error }) => `The run expired: ${error.message}`,
  run_cancelled: ({ actor, comment }) => said(`${actor.name} cancelled the run`, comment),
};

export function entryText(entry: Entry): string {
  return visible(wordsFor(entry));
}

/** Each entry meets the words of its own type, which the compiler cannot see through the table. */
function wordsFor<Type extends Entry['type']>(entry: Extract<Entry, { type: Type }>): string {
  const words: Words[Type] | undefined = WORDS[entry.type];
  // An entry of a server that is newer than this page.
  return words === undefined ? entry.type : words(entry);
}

function who(name: string, inPlaceOf: string | undefined): string {
  return inPlaceOf === undefined ? name : `${name}, for ${inPlaceOf},`;
}

function answered(resolution: 'happened' | 'retry' | undefined): string {
  if (resolution === undefined) return 'approved';
  return resolution === 'happened' ? 'said that it happened' : 'said that it did not happen';
}

function said(what: string, comment: string | null): string {
  return comment === null ? what : `${what}: “${comment}”`;
}
