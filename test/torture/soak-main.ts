/** `npm run soak [-- --minutes N --rate EVENTS_PER_SECOND --tenants N --seed S]`. */
import { parseArgs } from 'node:util';
import { numberOf } from './numbers.ts';
import { soak } from './soak.ts';
import { soakReportOf } from './soak-report.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    rate: { type: 'string', default: '50' },
    seed: { type: 'string' },
    tenants: { type: 'string', default: '3' },
    senders: { type: 'string', default: '2' },
  },
});
const plan = {
  minutes: numberOf('minutes', values.minutes),
  rate: numberOf('rate', values.rate),
  seed: numberOf('seed', values.seed ?? String(Date.now() % 1_000_000)),
  tenants: numberOf('tenants', values.tenants),
  senders: numberOf('senders', values.senders),
};
const soaked = await soak(plan);
console.log(soakReportOf(plan, soaked));
process.exitCode = soaked.findings.length === 0 ? 0 : 1;
