/** From a decision to what it lets go: runs wait, people decide 20 times a second. */
import { comparing } from './compare.ts';
import { scaled } from './measure.ts';

export const decision = comparing(
  'decision',
  (bench) => ({
    kind: 'decisions',
    events: scaled(bench, 200, 100),
    load: { senders: 16, rate: 20 },
    requests: async ({ decisions }, round) => decisions?.(round) ?? null,
  }),
  [
    {
      what: 'decision → resumed action at 20 decisions/s: p99, ms',
      figure: ({ p99 }) => p99,
      better: 'less',
      asked: 'a third of Workflows',
      least: { 'Cloudflare Workflows': 3 },
    },
  ],
);
