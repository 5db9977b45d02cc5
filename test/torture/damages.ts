/**
 * What the product could do wrong, planted into what was recorded of a run of the harness that found
 * nothing: each has to be found by the check that is there for it.
 */
import type { Run } from '../../src/contract/runs.ts';
import type { Recorded } from './record.ts';
import { type Operation, outcomeOf, type Story } from './story.ts';

interface Evidence {
  readonly records: readonly Recorded[];
  readonly story: Story;
}

interface Damage {
  readonly what: string;
  /** Who has to find it. */
  readonly check: string;
  damage(evidence: Evidence): Evidence;
}

/** Of every tenant. */
function inRecords(
  what: string,
  check: string,
  change: (recorded: Recorded, story: Story) => Partial<Recorded>,
): Damage {
  return {
    ...{ what, check },
    damage: ({ records, story }) => ({
      story,
      records: records.map((recorded) => ({ ...recorded, ...change(recorded, story) })),
    }),
  };
}

function inStory(what: string, check: string, change: (of: Evidence) => Partial<Story>): Damage {
  return {
    ...{ what, check },
    damage: (of) => ({ records: of.records, story: { ...of.story, ...change(of) } }),
  };
}

const inRuns = (what: string, check: string, change: (run: Run) => Partial<Run>): Damage =>
  inRecords(what, check, ({ runs }) => ({ runs: runs.map((run) => ({ ...run, ...change(run) })) }));

const copied = (run: Run | undefined): Run[] =>
  run === undefined ? [] : [{ ...run, id: 'run_00000000000000000000000000000000' }];

/** A vote that was answered 200, and of which nothing is anywhere. */
function vote(tenantId: string, subject: string): Operation {
  const audit = { action: 'approval.approved', least: 1 };
  const asked = { kind: 'approve', requestId: 'op-planted', actorId: 'mem_planted' };
  return { tenantId, subject, ...asked, outcomes: ['ok'], audit };
}

const anyRun = ({ records }: Evidence) =>
  records.flatMap(({ tenantId, runs }) => runs.slice(0, 1).map((run) => ({ tenantId, run })));

export const DAMAGES: readonly Damage[] = [
  inRecords('an accepted event that is gone', 'events lost', ({ events }, story) => {
    const accepted = story.events.filter((event) => outcomeOf(event) === 'ok');
    const known = new Set(accepted.map(({ id }) => id));
    const gone = events.find(({ eventId }) => known.has(eventId));
    return { events: events.filter((event) => event !== gone) };
  }),
  inRecords('an event that is there twice', 'events doubled', ({ events }) => ({
    events: [...events, ...events.slice(0, 1)],
  })),
  inStory('an event that nobody sent', 'events made up', ({ story: { events } }) => ({
    events: events.map((event, n) => (n % 2 === 0 ? event : { ...event, id: `not-${event.id}` })),
  })),
  inStory('an answer that names other runs', 'answers contradicted', ({ story: { events } }) => ({
    events: events.map((event) => ({
      ...event,
      answers: event.answers.map((answer) => ({ ...answer, runs: ['run_other'] })),
    })),
  })),
  inRecords('a run that is gone', 'runs of events', ({ runs }) => ({ runs: runs.slice(1) })),
  inRecords('a workflow that started twice for an event', 'runs doubled', ({ runs }) => ({
    runs: [...runs, ...copied(runs[0])],
  })),
  inRecords('a run that no event has started', 'runs made up', ({ runs }) => ({
    runs: [...runs, ...copied(runs[0])],
  })),
  inRuns('a run that has not ended', 'runs unfinished', () => ({ status: 'waiting' })),
  inRuns('a gap in a timeline', 'timelines broken', ({ timeline }) => ({
    timeline: timeline.slice(1),
  })),
  inRuns('a second end', 'timelines broken', ({ timeline }) => ({
    timeline: [...timeline, ...timeline.slice(-1)],
  })),
  inStory('an end that was another one', 'final states changed', (of) => ({
    sightings: new Map(
      anyRun(of).map(({ tenantId, run }) => {
        const status = run.status === 'failed' ? 'succeeded' : 'failed';
        return [run.id, { tenantId, run: { ...run, status } }];
      }),
    ),
  })),
  inRecords('a list that says something else', 'lists that differ', ({ items }) => ({
    items: items.map((item) => ({ ...item, status: 'queued' })),
  })),
  inRuns('an action without its approvals', 'gates passed', ({ timeline }) => ({
    timeline: timeline.filter(({ type }) => type !== 'approval_approved'),
  })),
  inStory('a vote that is gone', 'votes lost', (of) => ({
    operations: [
      ...of.story.operations,
      ...anyRun(of).map(({ tenantId, run }) => vote(tenantId, run.id)),
    ],
  })),
  inStory('a vote that nobody gave', 'votes made up', () => ({ operations: [] })),
  inStory('a delivery that never came', 'deliveries lost', () => ({ arrivals: [] })),
  inStory('a delivery that came twice without a kill', 'deliveries doubled', ({ story }) => ({
    kills: [],
    arrivals: story.arrivals.flatMap((arrival) => [arrival, arrival]),
  })),
  inStory('a delivery under an unknown key', 'deliveries made up', ({ story }) => ({
    arrivals: story.arrivals.map((arrival) => ({ ...arrival, webhookId: 'run_0_send' })),
  })),
  inStory('another message under the same key', 'deliveries that differ', ({ story }) => ({
    arrivals: story.arrivals.flatMap((arrival) => [arrival, { ...arrival, body: '{}' }]),
  })),
  inStory('a wrong signature', 'deliveries that differ', ({ story }) => ({
    arrivals: story.arrivals.map((arrival) => ({ ...arrival, isSigned: false })),
  })),
  inRecords('an attempt that the delivery log lacks', 'delivery log', ({ deliveries }) => ({
    deliveries: deliveries.slice(1),
  })),
  inRecords('a mail that was sent twice', 'mails', ({ mails }) => ({
    mails: [...mails, { id: 'm', subject: 'x', to: [] }, { id: 'm', subject: 'y', to: [] }],
  })),
  inRecords('money that moved without a run', 'refunds', ({ orders }) => ({
    orders: orders.map((order) => ({ ...order, refunded: { amount: -1, currency: 'USD' } })),
  })),
  inRecords('a change of a flag that is gone', 'flags', () => ({
    flagChanges: [{ key: 'planted', from: true, to: false, run: null }],
  })),
  inRecords('a file that no run has made', 'exports', ({ exports }) => ({
    exports: [...exports, { id: 'exp_planted', status: 'completed', rows: 1 }],
  })),
  inRecords('an audit entry that is gone', 'audit chain', ({ audit }) => ({
    audit: audit.toSpliced(1, 1),
  })),
  inRecords('the end of the audit that is gone', 'audit chain', ({ audit }) => ({
    audit: audit.slice(0, -1),
  })),
  inStory('a change that the audit lacks', 'audit lost', (of) => ({
    operations: [
      ...of.story.operations,
      ...anyRun(of).map(({ tenantId, run }) => vote(tenantId, run.id)),
    ],
  })),
  inRecords('a change that the audit has twice', 'audit doubled', ({ audit }) => ({
    audit: [...audit, ...audit],
  })),
  inStory('a refused change that the audit has', 'audit made up', ({ story }) => ({
    operations: story.operations.map((operation) => ({ ...operation, outcomes: ['fail'] })),
  })),
];
