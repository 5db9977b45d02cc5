import { describe, expect, it } from 'vitest';
import { inLanes } from '../../src/in-lanes.ts';

const soon = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('work in lanes', () => {
  it('takes all of it in its order, and no more at once than there are lanes', async () => {
    const begun: number[] = [];
    let underWay = 0;
    let most = 0;
    await inLanes([1, 2, 3, 4, 5], 2, async (item) => {
      begun.push(item);
      underWay += 1;
      most = Math.max(most, underWay);
      await soon();
      underWay -= 1;
    });
    expect({ begun, most, underWay }).toEqual({ begun: [1, 2, 3, 4, 5], most: 2, underWay: 0 });
  });

  it('does not begin what was taken out of the list', async () => {
    const waiting = [1, 2, 3];
    const begun: number[] = [];
    await inLanes(waiting, 1, async (item) => {
      begun.push(item);
      await soon();
      waiting.splice(0);
    });
    expect(begun).toEqual([1]);
  });

  it('throws what the work throws, and the other lanes go on', async () => {
    const done: number[] = [];
    const all = inLanes([1, 2, 3], 2, async (item) => {
      await soon();
      if (item === 1) throw new Error('one has failed');
      done.push(item);
    });
    await expect(all).rejects.toThrow('one has failed');
    await soon();
    await soon();
    expect(done).toEqual([2, 3]);
  });
});
