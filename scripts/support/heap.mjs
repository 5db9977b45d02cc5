/**
 * Room for workerd's heaps. V8 collects all of a heap once what has grown old in it is a few dozen MB, and
 * workerd's one thread stands still meanwhile: for a tenth of a second, every few thousand runs. What lives
 * is some 10 MB, so with room for more that comes seldom: docs/performance.md.
 */

/** MB in each isolate, of which those that work much come to use it: the Worker's, and D1's. */
const FLAGS = '--initial-old-space-size=128';

/** To be called before Miniflare starts. It reads its flags there; whoever has set others keeps them. */
export function giveRoom() {
  process.env.MINIFLARE_WORKERD_V8_FLAGS ??= FLAGS;
}
