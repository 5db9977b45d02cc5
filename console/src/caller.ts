/** Who is signed in, for the pages below the shell. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Session } from '../../src/contract/session.ts';

export const CallerContext = createContext<Session | null>(null);

export function useCaller(): Session {
  const session = useContext(CallerContext);
  if (session === null) throw new Error('nobody is signed in');
  return session;
}

export function useIsAdmin(): boolean {
  return useCaller().role === 'admin';
}

/** Whether the caller may decide at all; on what, the server says. */
export function useMayDecide(): boolean {
  const { role, inPerson } = useCaller();
  return role !== 'viewer' || inPerson;
}
