/**
 * What a request for a WebSocket may say as a subprotocol, since a browser's can have no header:
 * `signalbox.v1, key.<api key>`, or `signalbox.v1, tenant.<id>` for a member of several tenants. Only
 * `signalbox.v1` is ever answered. https://datatracker.ietf.org/doc/html/rfc6455#section-4.1
 */
import { LIVE_PROTOCOL } from '../contract/live.ts';

export function wantsSocket({ method, headers }: Request): boolean {
  return method === 'GET' && headers.get('upgrade')?.toLowerCase() === 'websocket';
}

/** Null when none are offered; whether ours is among them. */
export function offersProtocol(request: Request): boolean | null {
  const offered = offeredBy(request);
  return offered.length === 0 ? null : offered.includes(LIVE_PROTOCOL);
}

/** The key that is offered for a socket. */
export function socketKey(request: Request): string | null {
  return offeredAs('key.', request);
}

/** The tenant that is named for a socket; the membership decides. */
export function socketTenant(request: Request): string | null {
  return offeredAs('tenant.', request);
}

function offeredAs(prefix: 'key.' | 'tenant.', request: Request): string | null {
  if (!wantsSocket(request)) return null;
  const found = offeredBy(request).find((name) => name.startsWith(prefix));
  return found?.slice(prefix.length) ?? null;
}

function offeredBy({ headers }: Request): string[] {
  const names = (headers.get('sec-websocket-protocol') ?? '').split(',');
  return names.map((name) => name.trim()).filter((name) => name !== '');
}
