/** Who is signed in. The key itself is only ever on its way to the API, or in memory (client.ts). */
import type { Session } from '../../../src/contract/session.ts';
import { chooseTenant, get, holdBearer, Problem, post } from './client.ts';

const PATH = '/api/session';

/** Null when nobody is. */
export async function whoAmI(): Promise<Session | null> {
  try {
    return (await get<{ session: Session }>(PATH)).session;
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return null;
    throw error;
  }
}

/**
 * By a cookie where the browser keeps one. It does not for an API on another site: then the key stays
 * in this page's memory, and is gone when it is closed or loaded anew.
 */
export async function signIn(apiKey: string): Promise<Session> {
  chooseTenant(null);
  holdBearer(null);
  const { session } = await post<{ session: Session }>(PATH, { apiKey });
  if ((await whoAmI()) !== null) return session;
  holdBearer(apiKey);
  return { ...session, expiresAt: null };
}

export async function signOut(): Promise<void> {
  holdBearer(null);
  chooseTenant(null);
  await post(`${PATH}/end`, {});
}
