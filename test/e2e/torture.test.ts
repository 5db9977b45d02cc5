/**
 * `npm run torture`, in short: some kills under load, and everything is accounted for. And the account
 * is worth something: whatever is taken from what was recorded, or added to it, it misses.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { account } from '../torture/accounting.ts';
import { DAMAGES } from '../torture/damages.ts';
import { reportOf } from '../torture/report.ts';
import { type Result, torture } from '../torture/torture.ts';
import { removePlace } from './support/server.ts';

const ordeal = {
  ...{ minutes: 0.2, kills: 6, seed: Date.now() % 1_000_000 },
  ...{ tenants: 2, senders: 2, pauseMs: 5, patienceMs: 3_000 },
};
let result: Result;

beforeAll(async () => {
  result = await torture(ordeal);
  console.log(reportOf(ordeal, result));
}, 300_000);
afterAll(() => removePlace(result.place));

describe('killed with -9 again and again while events, votes and changes come', () => {
  it('the product accounts for everything that it accepted', () => {
    expect(result.findings).toEqual([]);
    expect(result.story.kills).toHaveLength(ordeal.kills);
    expect(result.records.flatMap(({ runs }) => runs).length).toBeGreaterThan(20);
  });
});

describe('the account finds', () => {
  it.each(DAMAGES)('$what', ({ check, damage }) => {
    const damaged = damage(result);
    const found = account(damaged.records, damaged.story).map((finding) => finding.check);
    expect(found).toContain(check);
  });
});
