/** The cache of what was asked, and whether the server is there. */
import { QueryClient } from '@tanstack/preact-query';
import { useEffect, useState } from 'preact/hooks';
import { Problem, Unreachable } from '../api/client.ts';

const TRIES = 2;

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => isPassing(error) && failures < TRIES,
      retryDelay: (failures) => 500 * 2 ** failures,
      gcTime: 60_000,
    },
  },
});

/** Whether another try may do. */
function isPassing(error: Error): boolean {
  return error instanceof Unreachable || (error instanceof Problem && error.status >= 500);
}

/** What was last heard of the server, by any request. */
export interface Contact {
  readonly isOffline: boolean;
  /** When the last answer came; null before the first. */
  readonly lastAt: number | null;
}

let contact: Contact = { isOffline: false, lastAt: null };
const listeners = new Set<(contact: Contact) => void>();

queries.getQueryCache().subscribe(({ type, query }) => {
  if (type !== 'updated') return;
  const { status, error, dataUpdatedAt, fetchFailureReason } = query.state;
  const failed = error ?? fetchFailureReason;
  if (failed instanceof Unreachable) tell({ ...contact, isOffline: true });
  else if (status === 'success' && dataUpdatedAt > (contact.lastAt ?? 0))
    tell({ isOffline: false, lastAt: dataUpdatedAt });
});
addEventListener('offline', () => tell({ ...contact, isOffline: true }));
addEventListener('online', () => void queries.refetchQueries({ type: 'active' }));

function tell(next: Contact): void {
  contact = next;
  for (const listener of listeners) listener(next);
}

export function useContact(): Contact {
  const [known, setKnown] = useState(contact);
  useEffect(() => {
    listeners.add(setKnown);
    return () => void listeners.delete(setKnown);
  }, []);
  return known;
}
