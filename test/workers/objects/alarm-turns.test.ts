import { describe, expect, it } from 'vitest';
import { alarmTurn } from '../../../src/objects/alarm-turns.ts';

const APART_MS = 12;

describe('alarms that are due in the same moment', () => {
  it('have their turns one after the other, in the order in which they came', async () => {
    const from = Date.now();
    const turns: { n: number; at: number }[] = [];
    await Promise.all(
      [0, 1, 2, 3, 4, 5].map(async (n) => {
        await alarmTurn();
        turns.push({ n, at: Date.now() - from });
      }),
    );
    expect(turns.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const { n, at } of turns) expect(at).toBeGreaterThanOrEqual(n * APART_MS);
  });

  it('and one that is due alone waits for nobody', async () => {
    await scheduler.wait(2 * APART_MS);
    const turn = alarmTurn().then(() => 'turn');
    expect(await Promise.race([turn, scheduler.wait(0).then(() => 'later')])).toBe('turn');
  });
});
