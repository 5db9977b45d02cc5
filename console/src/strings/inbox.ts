/** Words of the inbox and of decisions. */
import { spanText } from '../ui/text.ts';

export const inboxWords = {
  title: 'Inbox',
  views: {
    mine: 'For me',
    pending: 'All that wait',
    approved: 'Approved',
    denied: 'Denied',
    expired: 'Expired',
  },
  view: 'Which approvals',
  list: 'Approvals, the most urgent first',
  emptyMine: 'Nothing waits for you',
  emptyMineHow: 'What needs your decision comes up here by itself.',
  empty: 'Nothing here',
  gone: 'This is not in the list any more',
  goneHow: 'It was decided, or it ran out of time.',
  toRun: 'Open the run',
  left: (ms: number) => `${spanText(ms)} left`,
  over: 'out of time',
  until: 'Decide until',
  inputs: 'What will be sent',
  why: 'Why a person is asked',
  rule: (action: string, people: string, who: string) => `${action} needs ${people}, ${who}.`,
  people: (count: number) =>
    count === 1 ? 'the approval of one person' : `${count} different people`,
  who: (roles: readonly string[], members: number) =>
    [
      roles.length === 0 ? '' : `of the role ${roles.join(' or ')} or more`,
      members === 0 ? '' : members === 1 ? 'or one named member' : `or ${members} named members`,
    ]
      .filter((part) => part !== '')
      .join(' '),
  escalated: 'Nobody decided in time, so it went on to those who decide instead.',
  resolveTitle: 'Did this happen?',
  resolve: 'Nobody knows whether it was carried out. Look there, and say what you found.',
  decisions: 'Decided so far',
  noDecisions: 'Nobody yet.',
  quorum: (given: number, required: number) => `${given} of ${required}`,
  approvedBy: 'approved',
  deniedBy: 'denied',
  forMember: (name: string) => `for ${name}`,
  edits: (count: number) =>
    count === 1 ? 'The inputs were changed once.' : `The inputs were changed ${count} times.`,
  workflow: 'Workflow',
  version: (version: number) => `version ${version}`,
  event: 'Started by',
  asked: 'Asked',
  hash: 'Hash of the inputs',
  theHash: 'the hash',
  theInputs: 'the inputs',
  approve: 'Approve',
  deny: 'Deny',
  edit: 'Change the inputs',
  override: 'Break the glass',
  happened: 'It happened',
  retry: 'It did not: try again',
  giveUp: 'Give up',
  comment: 'Comment',
  reason: 'Reason',
  commentHint: 'Kept in the audit trail. May be left empty.',
  reasonHint: 'Kept in the audit trail.',
  inPlaceOf: 'Decide for',
  myself: 'myself',
  overrideHow:
    'You decide alone, against the rule. Every admin is told by mail, and the audit trail says so.',
  editHow:
    'A new hash, and the votes start again. Whoever changes the inputs may not approve them.',
  mayNot: 'Your role reads. Somebody else decides.',
} as const;
