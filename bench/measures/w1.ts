/** W1: an event is posted, one of 20 workflows matches, a webhook is delivered, the run is shown. */
import { comparing } from './compare.ts';
import { scaled } from './measure.ts';

const SENDERS = 16;

export const single = comparing(
  'w1-single',
  (bench) => ({
    kind: 'orders',
    events: scaled(bench, 2_000),
    load: { senders: SENDERS, rate: 0 },
    requests: async (system, round) => system.events(round, 1),
  }),
  [
    {
      what: 'W1, single-event posts, 16 senders: runs/s',
      figure: ({ perSecond }) => perSecond,
      better: 'more',
      asked: '5 × Workflows, 1.1 × Restate',
      least: { 'Cloudflare Workflows': 5, Restate: 1.1 },
    },
  ],
);

export const batch = comparing(
  'w1-batch',
  (bench) => ({
    kind: 'orders',
    events: scaled(bench, 5_000),
    load: { senders: SENDERS, rate: 0 },
    requests: async (system, round) => system.events(round, 50),
  }),
  [
    {
      what: 'W1, posts of 50 events, 16 senders: runs/s',
      figure: ({ perSecond }) => perSecond,
      better: 'more',
      asked: '20 × Workflows, 3 × Restate',
      least: { 'Cloudflare Workflows': 20, Restate: 3 },
    },
  ],
);

export const latency = comparing(
  'latency',
  (bench) => ({
    kind: 'orders',
    events: scaled(bench, 400, 200),
    load: { senders: SENDERS, rate: 20 },
    requests: async (system, round) => system.events(round, 1),
  }),
  [
    {
      what: 'event → delivery at 20 events/s: p50, ms',
      figure: ({ p50 }) => p50,
      better: 'less',
      asked: 'under half of Restate, a fifth of Workflows',
      least: { 'Cloudflare Workflows': 5, Restate: 2 },
    },
    {
      what: 'event → delivery at 20 events/s: p99, ms',
      figure: ({ p99 }) => p99,
      better: 'less',
      asked: 'no worse than Restate',
      least: { Restate: 1 },
    },
  ],
);
