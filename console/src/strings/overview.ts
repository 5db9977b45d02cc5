/** Words of the overview: each part answers a question. */
import { countText } from '../ui/text.ts';

export const overviewWords = {
  title: 'Overview',
  people: 'What waits for people',
  nothingWaits: 'Nothing waits for anybody.',
  waits: (count: string) => (count === '1' ? '1 approval waits' : `${count} approvals wait`),
  oldest: (span: string) => `the oldest for ${span}`,
  firstOut: (span: string) => `the next runs out in ${span}`,
  toInbox: 'Open the inbox',
  now: 'What is under way',
  inFlight: (count: number) =>
    count === 1 ? '1 run has not ended' : `${countText(count)} runs have not ended`,
  ends: 'How runs end',
  sample: (count: number, span: string) =>
    count === 1 ? 'The last run' : `The last ${countText(count)} runs, of ${span}`,
  rates: {
    good: (percent: string) => `${percent} succeeded`,
    bad: (percent: string) => `${percent} failed, were denied or ran out of time`,
    open: (count: number) => `${countText(count)} are under way`,
  },
  chartOf: (what: string, per: string) => `${what} for each ${per}`,
  runs: 'Runs',
  events: 'Events',
  eventsTitle: 'How much comes in',
  eventSample: (count: number, span: string) =>
    count === 1 ? 'The last event' : `The last ${countText(count)} events, of ${span}`,
  perMinute: (rate: string) => `${rate} a minute`,
  table: 'As a table',
  from: 'From',
  ended: {
    go: 'Succeeded',
    stop: 'Failed',
    hold: 'Wait for a person',
    move: 'Under way',
    off: 'Otherwise',
  },
  noRuns: 'No run yet.',
  noEvents: 'No event yet.',
  failing: 'What failed last',
  noneFailed: 'None of the last runs failed.',
  destinations: 'Where webhooks are slow',
  destinationSample: (count: number) =>
    `The last ${countText(count)} deliveries, the slowest destination first`,
  noDeliveries: 'Nothing was sent yet.',
  columns: {
    destination: 'Destination',
    slow: '19 of 20 within',
    middle: 'Half within',
    failed: 'Failed',
    count: 'Sent',
  },
  percent: (share: number) => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`,
} as const;
