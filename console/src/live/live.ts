/**
 * How the console keeps up: the server says what changes (socket.ts), and where it cannot, the console
 * asks again, as long as somebody looks, and more slowly while the server does not answer. The pages say
 * what they show and nothing about how it stays fresh.
 */
import { isTold } from './socket.ts';

/** What a page shows, by how soon a change in it has to be seen. */
export type Topic = 'inbox' | 'run' | 'feed' | 'list' | 'slow';

const EVERY_MS: Readonly<Record<Topic, number>> = {
  inbox: 3_000,
  run: 1_500,
  feed: 3_000,
  list: 10_000,
  slow: 30_000,
};
/** What the server tells of by itself is asked for all the same, in case a word of it was lost. */
const TOLD_MS: Readonly<Partial<Record<Topic, number>>> = {
  inbox: 30_000,
  run: 5_000,
  feed: 30_000,
};
const SLOWEST_MS = 60_000;

interface Asked {
  readonly state: { readonly fetchFailureCount: number; readonly status: string };
}

/** Options of a query. While the page is hidden it rests; when it is seen again it asks at once. */
export function live(topic: Topic) {
  return {
    refetchInterval: ({ state }: Asked) => paceOf(topic, state),
    refetchIntervalInBackground: false,
    refetchOnWindowFocus: 'always' as const,
    staleTime: EVERY_MS[topic] / 2,
  };
}

/** The same until what is known of it says that it has ended, such as a run. */
export function liveUntil<Known>(topic: Topic, hasEnded: (known: Known | undefined) => boolean) {
  return {
    ...live(topic),
    refetchInterval: ({
      state,
    }: Asked & { readonly state: { readonly data: Known | undefined } }) =>
      hasEnded(state.data) ? (false as const) : paceOf(topic, state),
  };
}

function paceOf(topic: Topic, { fetchFailureCount, status }: Asked['state']): number {
  const failures = status === 'error' ? Math.max(1, fetchFailureCount) : fetchFailureCount;
  const every = (isTold() ? TOLD_MS[topic] : undefined) ?? EVERY_MS[topic];
  return Math.min(SLOWEST_MS, every * 2 ** failures);
}
