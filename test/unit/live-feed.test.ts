/** Going on after an absence: nothing is missed and nothing comes twice, or the feed says that it cannot tell. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LiveChange } from '../../src/contract/live.ts';
import { LiveFeed } from '../../src/objects/live-feed.ts';

const change = (n: number): LiveChange => ({ kind: 'event', id: `evt_${n}`, status: 'received' });
const idsOf = (messages: readonly object[]) =>
  messages.flatMap((message) => ('id' in message ? [message.id] : []));

test('who comes without a cursor, or with one of elsewhere, is told to fetch', () => {
  const feed = new LiveFeed('a');
  expect(feed.since(undefined)).toEqual([{ cursor: 'a-0', kind: 'reset' }]);
  feed.add([change(1)]);
  for (const cursor of ['b-1', 'a-2', 'a--1', 'a-x', 'a', '', 'a-1e1', 'a-0-0'])
    expect(feed.since(cursor), cursor).toEqual([{ cursor: 'a-1', kind: 'reset' }]);
});

test('who comes with a cursor hears just what came after it, or to fetch', () => {
  const steps = fc.array(fc.oneof(fc.nat(400), fc.constant('skip' as const)), { maxLength: 12 });
  void fc.assert(
    fc.property(steps, fc.nat(), (done, pick) => {
      const feed = new LiveFeed('a');
      const all = [...feed.since(undefined)];
      let count = 0;
      for (const step of done)
        if (step === 'skip') all.push(feed.skip());
        else all.push(...feed.add(Array.from({ length: step }, () => change(count++))));
      const seen = pick % all.length;
      const after = all.slice(seen + 1);
      const again = feed.since(all[seen]?.cursor);
      const mustFetch = after.length > 500 || after.some(({ kind }) => kind === 'reset');
      if (mustFetch) expect(again).toEqual([{ cursor: all.at(-1)?.cursor, kind: 'reset' }]);
      else expect(idsOf(again)).toEqual(idsOf(after));
    }),
  );
});
