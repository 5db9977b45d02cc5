/** W1: an event is posted, one of 20 workflows matches, a webhook is delivered, the run is shown. */
import { compare, rowOf } from './compare.ts';
import type { Measure } from './measure.ts';
import { scaled } from './measure.ts';

const SENDERS = 16;

export const single: Measure = {
  name: 'w1-single',
  async run(bench) {
    const compared = await compare(bench, {
      name: 'w1-single',
      kind: 'orders',
      events: scaled(bench, 2_000),
      load: { senders: SENDERS, rate: 0 },
      requests: async (system, round) => system.events(round, 1),
    });
    return [
      rowOf(compared, {
        what: 'W1, single-event posts, 16 senders: runs/s',
        figure: ({ perSecond }) => perSecond,
        better: 'more',
        asked: '5 × Workflows, 1.1 × Restate',
        least: { 'Cloudflare Workflows': 5, Restate: 1.1 },
      }),
    ];
  },
};

export const batch: Measure = {
  name: 'w1-batch',
  async run(bench) {
    const compared = await compare(bench, {
      name: 'w1-batch',
      kind: 'orders',
      events: scaled(bench, 5_000),
      load: { senders: SENDERS, rate: 0 },
      requests: async (system, round) => system.events(round, 50),
    });
    return [
      rowOf(compared, {
        what: 'W1, posts of 50 events, 16 senders: runs/s',
        figure: ({ perSecond }) => perSecond,
        better: 'more',
        asked: '20 × Workflows, 3 × Restate',
        least: { 'Cloudflare Workflows': 20, Restate: 3 },
      }),
    ];
  },
};

export const latency: Measure = {
  name: 'latency',
  async run(bench) {
    const compared = await compare(bench, {
      name: 'latency',
      kind: 'orders',
      events: scaled(bench, 400, 200),
      load: { senders: SENDERS, rate: 20 },
      requests: async (system, round) => system.events(round, 1),
    });
    return [
      rowOf(compared, {
        what: 'event → delivery at 20 events/s: p50, ms',
        figure: ({ p50 }) => p50,
        better: 'less',
        asked: 'under half of Restate, a fifth of Workflows',
        least: { 'Cloudflare Workflows': 5, Restate: 2 },
      }),
      rowOf(compared, {
        what: 'event → delivery at 20 events/s: p99, ms',
        figure: ({ p99 }) => p99,
        better: 'less',
        asked: 'no worse than Restate',
        least: { Restate: 1 },
      }),
    ];
  },
};
