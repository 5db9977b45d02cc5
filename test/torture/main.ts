/**
 * `npm run torture [-- --minutes N --kills K --seed S]`: drives the product, kills it, and accounts for
 * everything that it accepted.
 */
import { parseArgs } from 'node:util';
import { removePlace } from '../e2e/support/server.ts';
import { numberOf } from './numbers.ts';
import { reportOf } from './report.ts';
import { torture } from './torture.ts';

/** The product takes a request that has died for abandoned after a minute. */
const PATIENCE_MS = 90_000;
const PAUSE_MS = 5;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '4' },
    kills: { type: 'string', default: '60' },
    seed: { type: 'string' },
    tenants: { type: 'string', default: '3' },
    senders: { type: 'string', default: '3' },
  },
});
const ordeal = {
  minutes: numberOf('minutes', values.minutes),
  kills: numberOf('kills', values.kills),
  seed: numberOf('seed', values.seed ?? String(Date.now() % 1_000_000)),
  tenants: numberOf('tenants', values.tenants),
  senders: numberOf('senders', values.senders),
  pauseMs: PAUSE_MS,
  patienceMs: PATIENCE_MS,
};
const result = await torture(ordeal);
console.log(reportOf(ordeal, result));
if (result.findings.length === 0) removePlace(result.place);
process.exitCode = result.findings.length === 0 ? 0 : 1;
