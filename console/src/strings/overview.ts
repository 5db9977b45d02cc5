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
  counted: (count: number, isEstimated: boolean, what: string) =>
    `${isEstimated ? 'About ' : ''}${countText(count)} ${what.toLowerCase()} in the last 24 hours`,
  rates: {
    good: (percent: string) => `${percent} succeeded`,
    bad: (percent: string) => `${percent} failed, were denied or ran out of time`,
    open: (count: number) => `${countText(count)} are under way`,
  },
  chartOf: (what: string, per: string) => `${what} for each ${per}`,
  runs: 'Runs',
  events: 'Events',
  eventsTitle: 'How much comes in',
  perHour: (rate: string) => `${rate} an hour`,
  table: 'As a table',
  from: 'From',
  ended: {
    go: 'Succeeded',
    stop: 'Failed',
    move: 'Not ended',
    off: 'Otherwise',
  },
  noRuns: 'No run in the last 24 hours.',
  noEvents: 'No event in the last 24 hours.',
  failing: 'What failed last',
  noneFailed: 'No run has failed.',
  destinations: 'Where webhooks are slow',
  destinationSample: (count: number) =>
    `The last ${countText(count)} deliveries, the slowest destination first`,
  noDeliveries: 'Nothing was sent in the last 24 hours.',
  columns: {
    destination: 'Destination',
    average: 'On average',
    slowest: 'Slowest',
    failed: 'Failed',
  },
  percent: (share: number) => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`,
} as const;
