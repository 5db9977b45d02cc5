/** A program at the other end of a live socket. */
import { env } from 'cloudflare:workers';
import { expect, vi } from 'vitest';
import { LIVE_PROTOCOL, type LiveMessage, liveMessage } from '../../../src/contract/live.ts';
import { fetchApi, type Tenant } from '../support/api.ts';

export const LIVE = '/api/admin/live';

export interface Listener {
  readonly socket: WebSocket;
  /** All that came so far, oldest first. */
  readonly heard: readonly LiveMessage[];
  /** Texts that are no messages: answers to `ping`. */
  readonly others: readonly string[];
  readonly closed: readonly number[];
  /** The cursor of the last message. */
  cursor(): string;
}

const opened: WebSocket[] = [];

/** To be called after each test: the runtime complains of sockets that nobody holds any more. */
export function hangUp(): void {
  for (const socket of opened.splice(0)) socket.close(1000);
}

/** Asks for a socket: `headers` besides those of the handshake. */
export async function knock(headers: Record<string, string>, query = ''): Promise<Response> {
  return await fetchApi('GET', `${LIVE}${query}`, {
    headers: { upgrade: 'websocket', ...headers },
  });
}

/** By a key as a browser sends it. */
export function offering(key: string): Record<string, string> {
  return { 'sec-websocket-protocol': `${LIVE_PROTOCOL}, key.${key}` };
}

export function listenOn(response: Response): Listener {
  const socket = response.webSocket;
  if (socket === null) throw new Error(`no socket: ${response.status}`);
  const heard: LiveMessage[] = [];
  const others: string[] = [];
  const closed: number[] = [];
  socket.addEventListener('message', ({ data }) => {
    const text = String(data);
    if (text.startsWith('{')) heard.push(liveMessage.parse(JSON.parse(text)));
    else others.push(text);
  });
  socket.addEventListener('close', ({ code }) => {
    closed.push(code);
  });
  socket.accept();
  opened.push(socket);
  return { socket, heard, others, closed, cursor: () => heard.at(-1)?.cursor ?? '' };
}

/** A viewer who has heard what there is to hear at first. */
export async function listen(
  tenant: Tenant,
  { cursor, key }: { cursor?: string; key?: string } = {},
): Promise<Listener> {
  const query = cursor === undefined ? '' : `?cursor=${cursor}`;
  const response = await knock(offering(key ?? (await tenant.key('viewer'))), query);
  const listener = listenOn(response);
  if (cursor === undefined) await hears(listener, [{ kind: 'reset' }]);
  return listener;
}

/** Once all of these were heard, in whatever order. */
export async function hears(
  { heard }: Listener,
  wanted: readonly Partial<Record<'kind' | 'id' | 'runId' | 'status', string>>[],
): Promise<void> {
  const all = wanted.map((one) => expect.objectContaining(one));
  await vi.waitFor(() => expect(heard).toEqual(expect.arrayContaining(all)), {
    timeout: 10_000,
    interval: 10,
  });
}

export async function closes({ closed }: Listener, code: number): Promise<void> {
  await vi.waitFor(() => expect(closed).toEqual([code]), { timeout: 5_000, interval: 10 });
}

/** By a stub of its own: the meter puts something else in the place of the others. */
export function objectOf({ id }: Tenant) {
  return env.TENANTS.get(env.TENANTS.idFromName(`t:${id}`));
}
