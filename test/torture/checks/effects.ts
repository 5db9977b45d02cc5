/** What actions did at the embedded adapters: mails, refunds, tags, flags, files. Each once. */
import * as z from 'zod';
import type { Entry } from '../../../src/contract/entries.ts';
import { EVENT_DATA } from '../../../src/contract/events.ts';
import type { Run } from '../../../src/contract/runs.ts';
import { type Case, doubled, type Finding, finder } from './finding.ts';

const mails = finder('mails');
const refunds = finder('refunds');
const tags = finder('tags');
const flags = finder('flags');
const files = finder('exports');

export function checkEffects(of: Case): Finding[] {
  return [...checkMails(of), ...checkOrders(of), ...checkFlags(of), ...checkExports(of)];
}

type Done = Extract<Entry, { type: 'attempt_succeeded' }>;

/** The successful attempts at steps of an action, each with its run. */
function done({ recorded }: Case, action: string): { run: Run; entry: Done }[] {
  return recorded.runs.flatMap((run) => {
    const steps = new Set(run.steps.flatMap((step) => (step.action === action ? step.id : [])));
    return run.timeline.flatMap((entry) =>
      entry.type === 'attempt_succeeded' && steps.has(entry.stepId) ? [{ run, entry }] : [],
    );
  });
}

/** Attempts of which nobody knows what they did: an effect of theirs may be there. */
function begun({ recorded }: Case, action: string): number {
  return recorded.runs
    .flatMap(({ steps }) => steps)
    .filter((step) => step.action === action && step.attempts > 0 && step.status !== 'succeeded')
    .length;
}

function checkMails(of: Case): Finding[] {
  const subjects = of.recorded.mails
    .filter(({ to }) => to.includes('buyer@example.com'))
    .map(({ subject }) => subject);
  const sent = done(of, 'notify.email').length;
  const isRight = subjects.length >= sent && subjects.length <= sent + begun(of, 'notify.email');
  return [
    ...doubled(of.recorded.mails.map(({ id }) => id)).map((id) => mails(id, 'is there twice')),
    ...doubled(subjects).map((subject) => mails(subject, 'was sent twice')),
    ...(isRight ? [] : [mails('buyer@example.com', `${subjects.length} for ${sent} runs`)]),
  ];
}

function checkOrders(of: Case): Finding[] {
  const paid = new Map<string, number>();
  for (const { entry } of done(of, 'order.refund'))
    for (const { data } of entry.events) {
      const { order, refund } = EVENT_DATA['order.refunded'].parse(data);
      paid.set(order.id, (paid.get(order.id) ?? 0) + refund.amount.amount);
    }
  const isOpen = begun(of, 'order.refund') > 0;
  const tagged = new Set(done(of, 'tag.order').map(({ entry }) => taggedOrder(entry)));
  return of.recorded.orders.flatMap(({ id, refunded, tags: own }) => {
    const [is, wanted] = [refunded?.amount ?? 0, paid.get(id) ?? 0];
    const isRight = is === wanted || (isOpen && is > wanted);
    return [
      ...(isRight ? [] : [refunds(id, `${is} is refunded, runs say ${wanted}`)]),
      ...(own.includes('refunded') || !tagged.has(id) ? [] : [tags(id, 'a run tagged it')]),
    ];
  });
}

function taggedOrder({ output }: Done): string {
  return z.object({ orderId: z.string() }).parse(output).orderId;
}

/** A flag's changes lead from one to the next, so none is lost and none came twice. */
function checkFlags(of: Case): Finding[] {
  const changes = Map.groupBy(of.recorded.flagChanges, ({ key }) => key);
  const made = done(of, 'flag.enable').filter(({ entry }) => entry.events.length > 0);
  const byRuns = of.recorded.flagChanges.flatMap(({ run }) => run?.id ?? []);
  return [
    ...[...changes].flatMap(([key, list]) =>
      list.every(({ from, to }, n) => from !== to && (n === 0 ? !from : list[n - 1]?.to === from))
        ? []
        : [flags(key, `changed to ${list.map(({ to }) => to)}`)],
    ),
    ...doubled(byRuns).map((id) => flags(id, 'it changed its flag twice')),
    ...made
      .filter(({ run }) => !byRuns.includes(run.id))
      .map(({ run }) => flags(run.id, 'it changed a flag, and the history does not know')),
  ];
}

function checkExports(of: Case): Finding[] {
  const made = done(of, 'export.orders').length;
  const { exports } = of.recorded;
  const ready = exports.filter(({ status }) => status === 'completed').length;
  return [
    ...doubled(exports.map(({ id }) => id)).map((id) => files(id, 'is there twice')),
    ...(ready === made ? [] : [files('all', `${ready} files of ${made} runs`)]),
  ];
}
