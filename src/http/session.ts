/**
 * A browser's session: the API key, sealed into a cookie that no script can read. Nothing is kept
 * here, so a session ends when it expires or when its key is revoked, whichever is first.
 *
 * A cookie rides along with whatever a browser sends: authenticate.ts asks whose page sent it.
 */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import type { Env } from '../env.ts';
import { seal, unseal } from '../sealed.ts';

/** A working day with its evening. */
const LASTS_S = 12 * 3_600;
const OWNER = 'session|console';
const LOOPBACK = /^(127(\.\d+){3}|\[::1\]|localhost)$/;

const sealedSession = later(() => z.object({ apiKey: z.string(), expiresAt: z.string() }));
export type BrowserSession = z.infer<typeof sealedSession>;

/** A new session of a key, and the cookie that holds it. */
export async function startSession(
  request: Request,
  env: Env,
  apiKey: string,
): Promise<{ session: BrowserSession; cookie: string }> {
  const expiresAt = new Date(Date.now() + LASTS_S * 1_000).toISOString();
  const session = { apiKey, expiresAt };
  const sealed = await seal(env, OWNER, JSON.stringify(session));
  return { session, cookie: cookieText(request, env, sealed, LASTS_S) };
}

/** The cookie that takes the browser's away. */
export function endSession(request: Request, env: Env): string {
  return cookieText(request, env, '', 0);
}

/** Whether the browser sent one, whatever it is worth. */
export function hasSession(request: Request, env: Env): boolean {
  return cookieOf(request, cookieForm(request, env).name) !== null;
}

/** The session that a request came with; null when there is none, or it has expired. */
export async function readSession(request: Request, env: Env): Promise<BrowserSession | null> {
  const sealed = cookieOf(request, cookieForm(request, env).name);
  const text = sealed === null ? null : await unseal(env, OWNER, sealed);
  if (text === null) return null;
  const session = sealedSession.parse(JSON.parse(text));
  return Date.parse(session.expiresAt) > Date.now() ? session : null;
}

function cookieText(request: Request, env: Env, value: string, maxAge: number): string {
  const { name, secure } = cookieForm(request, env);
  return `${name}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`;
}

/** `__Host-` binds a cookie to its host, and needs https, which a machine's own loopback has not. */
function cookieForm({ url }: Request, { ENVIRONMENT }: Env): { name: string; secure: string } {
  const { protocol, hostname } = new URL(url);
  const isLocal = ENVIRONMENT === 'development' && protocol === 'http:' && LOOPBACK.test(hostname);
  return isLocal
    ? { name: 'signalbox-session', secure: '' }
    : { name: '__Host-signalbox-session', secure: '; Secure' };
}

function cookieOf({ headers }: Request, name: string): string | null {
  const pairs = (headers.get('cookie') ?? '').split(';').map((pair) => pair.trim());
  const found = pairs.find((pair) => pair.startsWith(`${name}=`));
  return found?.slice(name.length + 1) || null;
}
