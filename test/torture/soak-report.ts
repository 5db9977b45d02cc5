/** What a soak came to, for a person. */
import { accepted, answers, quantile, row, verdict } from './figures.ts';
import type { Plan, Soaked } from './soak.ts';
import { outcomeOf } from './story.ts';

export function soakReportOf(plan: Plan, soaked: Soaked): string {
  const { minutes, rate, tenants, seed } = plan;
  return [
    `soak --minutes ${minutes} --rate ${rate} --tenants ${tenants} --seed ${seed}`,
    ...['', ...load(soaked), ...accepted(soaked), '', ...verdict(soaked)],
  ].join('\n');
}

/** Growth of the runtime's memory after the warm-up: 1.05 is a twentieth more. */
function growthOf({ memory: { early, late } }: Soaked): number {
  return late / early;
}

function load(soaked: Soaked): string[] {
  const { memory, story, overload, lastedMs } = soaked;
  const taken = story.events.filter((event) => outcomeOf(event) === 'ok').length;
  const mib = (of: number) => `${Math.round(of)} MiB`;
  const growth = `${((growthOf(soaked) - 1) * 100).toFixed(1)} %`;
  const { early, late, peak } = memory;
  const { before, during } = othersMs(soaked);
  return [
    row('events a second', (taken / (lastedMs / 1_000)).toFixed(1)),
    row('taken after (ms)', times(before)),
    row('in the overload (ms)', `${times(during)}, of the tenants that keep to their limits`),
    row('run ended after (ms)', times(straightMs(soaked))),
    row('memory', `${mib(early)}, then ${mib(late)} (${growth}), peak ${mib(peak)}`),
    row('answers in the overload', answers(overload.answers)),
  ];
}

function times(of: readonly number[]): string {
  return `median ${quantile(of, 0.5)}, p99 ${quantile(of, 0.99)}`;
}

/** How long events took of those who do not send too much, before one does and while one does. */
function othersMs({ story, overload: { from, greedy } }: Soaked) {
  const others = story.intakes.filter(({ tenantId }) => tenantId !== greedy);
  const [before, during] = [
    others.filter(({ at }) => at < from),
    others.filter(({ at }) => at >= from),
  ];
  return { before: before.map(({ ms }) => ms), during: during.map(({ ms }) => ms) };
}

/** From a run's beginning to its end, of those that wait for nothing. */
function straightMs({ records }: Soaked): number[] {
  return records
    .flatMap(({ items }) => items)
    .filter(({ eventType }) => eventType === 'custom.straight')
    .flatMap(({ createdAt, finishedAt }) =>
      finishedAt === null ? [] : [Date.parse(finishedAt) - Date.parse(createdAt)],
    );
}
