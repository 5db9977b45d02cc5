/**
 * The product's own objects in a simulated world (test/simulation): histories by seed, without a broken
 * invariant; and faults that are planted into the product, each of which is found.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PLANTS } from '../simulation/plants.ts';

const MAIN = join(import.meta.dirname, '../simulation/main.ts');
const SCHEDULES = 200;
const STEPS = 80;
/** In so many schedules each fault is found. */
const TRIES = 300;

/** @returns its exit code, and what it printed */
function simulate(options: Readonly<Record<string, string | number>>) {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return new Promise<{ code: number; said: string }>((resolve) => {
    const limits = { maxBuffer: 1 << 26 };
    const child = execFile(process.execPath, [MAIN, ...args], limits, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, said: `${stdout}${stderr}` }),
    );
  });
}

describe('the simulated product', () => {
  test(`keeps its invariants in ${SCHEDULES} schedules`, { timeout: 400_000 }, async () => {
    const { code, said } = await simulate({ seed: 1, steps: STEPS, schedules: SCHEDULES });
    expect(code, said).toBe(0);
    expect(said).toContain(`${SCHEDULES} schedules`);
  });

  test('does the same for the same seed', { timeout: 60_000 }, async () => {
    const alone = await simulate({ seed: 13, steps: 400 });
    const after = await simulate({ seed: 10, steps: 400, schedules: 4 });
    const digest = /seed 13, digest (\w+)/;
    expect(digest.exec(alone.said)?.[1]).toMatch(/^\w{16}$/);
    expect(digest.exec(after.said)?.[1]).toBe(digest.exec(alone.said)?.[1]);
  });
});

describe('a fault that is planted is found', () => {
  test.for(PLANTS)('$name', { timeout: 120_000 }, async ({ name, search }) => {
    const { seed, steps } = search ?? { seed: 1, steps: STEPS };
    const { code, said } = await simulate({ plant: name, seed, steps, schedules: TRIES });
    expect(code, said).toBe(1);
    expect(said).toMatch(/^seed \d+, steps \d+: /m);
  });
});
