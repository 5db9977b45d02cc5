import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bucket, fullBucket, take } from '../../src/engine/token-bucket.ts';

const RATE = { perSecond: 10, burst: 20 };

describe('a token bucket', () => {
  it('lets a burst through, then one every tenth of a second', () => {
    const burst = take(fullBucket(RATE, 0), RATE, 20, 0);
    expect(burst).toMatchObject({ ok: true, bucket: { tokens: 0 } });
    const next = take(burst.bucket, RATE, 1, 0);
    expect(next).toMatchObject({ ok: false, waitMs: 100 });
    expect(take(next.bucket, RATE, 1, 100)).toMatchObject({ ok: true });
  });

  it('says how long to wait so that the next try passes', () => {
    fc.assert(
      fc.property(
        fc.record({
          perSecond: fc.integer({ min: 1, max: 1e6 }),
          burst: fc.integer({ min: 1, max: 1e6 }),
        }),
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.integer({ min: 1, max: 1_000 }),
        (rate, tokens, count) => {
          const bucket: Bucket = { tokens: Math.min(tokens, rate.burst), at: 0 };
          const first = take(bucket, rate, count, 0);
          if (!first.ok) expect(take(first.bucket, rate, count, first.waitMs).ok).toBe(true);
        },
      ),
    );
  });

  it('lets more than the burst through when it is full, and makes the next one wait for it', () => {
    const big = take(fullBucket(RATE, 0), RATE, 50, 0);
    expect(big).toMatchObject({ ok: true, bucket: { tokens: -30 } });
    expect(take(big.bucket, RATE, 1, 0)).toMatchObject({ ok: false, waitMs: 3_100 });
  });

  it('never lets more through than the burst and the rate allow', () => {
    const asked = fc.array(
      fc.record({
        count: fc.integer({ min: 1, max: 20 }),
        after: fc.integer({ min: -50, max: 500 }),
      }),
      { maxLength: 100 },
    );
    fc.assert(
      fc.property(asked, (tries) => {
        let bucket = fullBucket(RATE, 0);
        let [now, latest, taken] = [0, 0, 0];
        for (const { count, after } of tries) {
          now += after;
          const answer = take(bucket, RATE, count, now);
          bucket = answer.bucket;
          if (answer.ok) taken += count;
          latest += Math.max(0, after);
        }
        expect(taken).toBeLessThanOrEqual(RATE.burst + (latest * RATE.perSecond) / 1_000 + 1e-6);
      }),
    );
  });
});
