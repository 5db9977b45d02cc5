/** How the Worker asks a tenant's object for a live socket: by a request, since no method can give one. */
import type { Env } from '../env.ts';
import { tenantObject } from './index.ts';
import { type LiveViewer, liveViewer } from './live.ts';

const VIEWER = 'x-viewer';

/** Answers 101 with the socket, or the status that it is refused with: 401, 403, 429. */
export async function openLive(
  env: Env,
  tenantId: string,
  viewer: LiveViewer,
  cursor: string | undefined,
): Promise<Response> {
  const url = new URL('https://tenant.invalid/live');
  if (cursor !== undefined) url.searchParams.set('cursor', cursor);
  const headers = { upgrade: 'websocket', [VIEWER]: JSON.stringify(viewer) };
  return await tenantObject(env, tenantId).fetch(url, { headers });
}

/** The other end of it. Nobody but our own Worker can call an object. */
export function liveRequestOf({ url, headers }: Request): {
  viewer: LiveViewer;
  cursor: string | undefined;
} {
  return {
    viewer: liveViewer.parse(JSON.parse(headers.get(VIEWER) ?? '')),
    cursor: new URL(url).searchParams.get('cursor') ?? undefined,
  };
}
