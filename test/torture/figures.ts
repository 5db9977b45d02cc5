/** Figures of what was done and what became of it, as rows for a person. */
import { isFinal } from '../../src/contract/runs.ts';
import type { Recorded } from './record.ts';
import type { Ending } from './stage.ts';
import { outcomeOf, type Story } from './story.ts';

const SHOWN = 40;

export function row(name: string, value: string): string {
  return `${name.padEnd(24)}${value}`;
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

export function answers(byStatus: ReadonlyMap<number, number>): string {
  return [...byStatus]
    .filter(([, count]) => count > 0)
    .toSorted(([left], [right]) => left - right)
    .map(([status, count]) => `${count} × ${status === 0 ? 'none' : status}`)
    .join(', ');
}

/** Of all tenants. */
function allOf<Value>({ records }: Ending, of: (recorded: Recorded) => readonly Value[]): Value[] {
  return records.flatMap((recorded) => [...of(recorded)]);
}

/** What was sent, decided and changed, and what is there of it. */
export function accepted(ending: Ending): string[] {
  const { story } = ending;
  const runs = allOf(ending, ({ runs }) => runs);
  const decisions = runs.flatMap(({ approvals }) => approvals.flatMap((one) => one.decisions));
  const ended = Object.entries(Object.groupBy(runs, ({ status }) => status)).map(
    ([status, list = []]) => `${list.length} ${status}`,
  );
  const seen = [...story.sightings.values()];
  const finals = seen.filter(({ run }) => isFinal(run.status)).length;
  return [
    row('events', `${story.events.length} sent: ${outcomes(story.events)}`),
    row('events in the log', `${allOf(ending, ({ events }) => events).length}`),
    row('runs', `${runs.length}: ${ended.join(', ')}`),
    row('votes, edits, changes', `${story.operations.length}: ${outcomes(story.operations)}`),
    row('decisions that count', `${decisions.length}`),
    ...delivered(story),
    row(
      'mails, refunded orders',
      `${allOf(ending, ({ mails }) => mails).length}, ${refunded(ending)}`,
    ),
    row('exports', `${allOf(ending, ({ exports }) => exports).length}`),
    row('audit entries', `${allOf(ending, ({ audit }) => audit).length}`),
    row('runs seen on the way', `${seen.length}, of which ${finals} had ended`),
    row('answers', answers(story.answered)),
    row('findings', `${ending.findings.length}`),
  ];
}

function delivered({ arrivals }: Story): string[] {
  const messages = Map.groupBy(arrivals, ({ webhookId }) => webhookId);
  const repeats = [...messages.values()].filter(
    (list) => list.filter(({ status }) => status === 200).length > 1,
  );
  return [
    row('requests to receivers', `${arrivals.length} of ${messages.size} messages`),
    row('taken more than once', `${repeats.length} messages, each across a kill or unheard`),
  ];
}

function outcomes(things: readonly Parameters<typeof outcomeOf>[0][]): string {
  const counts = { ok: 0, fail: 0, unknown: 0 };
  for (const thing of things) counts[outcomeOf(thing)] += 1;
  return `${counts.ok} ok, ${counts.fail} fail, ${counts.unknown} unknown`;
}

function refunded(ending: Ending): number {
  const orders = allOf(ending, ({ orders }) => orders);
  return orders.filter((order) => (order.refunded?.amount ?? 0) > 0).length;
}

/** What is wrong, when something is. */
export function verdict({ findings, story }: Ending): string[] {
  if (findings.length === 0) return ['Everything is accounted for.'];
  const byCheck = Object.entries(Object.groupBy(findings, ({ check }) => check));
  return [
    'NOT everything is accounted for:',
    ...byCheck.map(([check, list = []]) => `  ${list.length} × ${check}`),
    ...findings.slice(0, SHOWN).map(({ check, about, says }) => `${check}: ${about}: ${says}`),
    ...['', 'Faults that were answered:', ...story.faults],
  ];
}
