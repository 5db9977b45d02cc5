/** What the kills came to, for a person: figures, and the evidence where something is wrong. */
import { accepted, quantile, row, verdict } from './figures.ts';
import type { Ordeal, Result } from './torture.ts';

const LINES = 40;

export function reportOf({ seed, minutes, kills }: Ordeal, result: Result): string {
  const asked = `--minutes ${minutes} --kills ${kills} --seed ${seed}`;
  const { findings, lastLines, place } = result;
  const traces = ['', 'The last lines of the product:', ...lastLines.slice(-LINES)];
  return [
    ...[`torture ${asked}`, '', ...killed(result), ...accepted(result), '', ...verdict(result)],
    ...(findings.length === 0 ? [] : [...traces, '', `Its state is in ${place.stateDir}.`]),
  ].join('\n');
}

function killed({ story: { kills }, settledAt }: Result): string[] {
  const backs = kills.flatMap(({ at, backAt }) => (backAt === null ? [] : [backAt - at]));
  const settledMs = settledAt - (kills.at(-1)?.at ?? settledAt);
  const count = (what: 'runtime' | 'all') => kills.filter((kill) => kill.what === what).length;
  return [
    row('kills', `${count('runtime')} of the runtime, ${count('all')} of everything`),
    row('back after (ms)', `median ${quantile(backs, 0.5)}, longest ${quantile(backs, 1)}`),
    row('all ended', `${(settledMs / 1_000).toFixed(1)} s after the last kill`),
  ];
}
