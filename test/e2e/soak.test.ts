/** `npm run soak`, in short: too short to see memory settle, so only that it does not run away. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Soaked, soak } from '../torture/soak.ts';
import { soakReportOf } from '../torture/soak-report.ts';

const plan = { minutes: 0.1, rate: 40, seed: Date.now() % 1_000_000, tenants: 2, senders: 2 };
const PEAK_MIB = 1_024;
let soaked: Soaked;

beforeAll(async () => {
  soaked = await soak(plan);
  console.log(soakReportOf(plan, soaked));
}, 300_000);

describe('events, votes and changes for a while, then one tenant that sends too much', () => {
  it('everything is answered without a fault, and accounted for', () => {
    expect(soaked.findings).toEqual([]);
    expect(soaked.records.flatMap(({ runs }) => runs).length).toBeGreaterThan(50);
  });

  it('who sends too much is told 429, and not a fault', () => {
    expect(soaked.overload.answers.get(429)).toBeGreaterThan(0);
    expect(soaked.overload.answers.get(202)).toBeGreaterThan(0);
  });

  // Only Linux tells how much memory a process has.
  it.runIf(process.platform === 'linux')('the memory of the runtime does not run away', () => {
    expect(soaked.memory.peak).toBeGreaterThan(0);
    expect(soaked.memory.peak).toBeLessThan(PEAK_MIB);
  });
});
