/** A live socket as a page opens it: with the platform's own WebSocket, and the key as a subprotocol. */
import { LIVE_PROTOCOL, type LiveMessage, liveMessage } from '../../../src/contract/live.ts';
import { until } from './wait.ts';

export interface LiveSocket {
  readonly heard: readonly LiveMessage[];
  /** Neither closed nor told to close: workerd keeps the connection itself for some seconds more. */
  isOpen(): boolean;
  readonly protocol: string;
  close(): void;
}

/** Resolves once the first message has come. */
export async function listenLive(origin: string, key: string): Promise<LiveSocket> {
  const url = `${origin.replace('http', 'ws')}/api/admin/live`;
  const socket = new WebSocket(url, [LIVE_PROTOCOL, `key.${key}`]);
  const heard: LiveMessage[] = [];
  socket.addEventListener('message', ({ data }) => {
    heard.push(liveMessage.parse(JSON.parse(String(data))));
  });
  await until('the live socket to say something', () => heard.length > 0, 20_000);
  return {
    heard,
    isOpen: () => socket.readyState === WebSocket.OPEN,
    protocol: socket.protocol,
    close: () => socket.close(),
  };
}

/** Whether a message says this, whatever else it says. */
export function isLike(message: LiveMessage, wanted: Readonly<Record<string, string>>): boolean {
  const said = new Map(Object.entries(message));
  return Object.entries(wanted).every(([name, value]) => said.get(name) === value);
}
