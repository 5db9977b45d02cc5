/** The live socket: a frontend learns that something changed, and asks for it. docs/live.md */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import { LIVE_PROTOCOL, liveMessage } from '../contract/live.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import { offersProtocol, wantsSocket } from '../http/live-protocol.ts';
import { type Route, tenantRoute } from '../http/route.ts';
import { LIVE_SOCKETS_MAX, type LiveViewer } from '../objects/live.ts';
import { openLive } from '../objects/live-request.ts';

const FULL_RETRY_MS = 30_000;

export const liveRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/live',
    tag: 'Live',
    summary: 'A WebSocket that says what changes: events, runs, approvals',
    description:
      'Each message is one JSON text. It says what changed and how it stands, never what is in it, once ' +
      'a list or a `get` shows it. The first one is `reset` (fetch what you show) unless `cursor` is ' +
      'known still; then what was missed comes first. Send the text `ping` at least once a minute; it ' +
      'is answered `pong`, and nothing else is taken. A browser, which can set no header, offers ' +
      `its key as a subprotocol: \`new WebSocket(url, ['${LIVE_PROTOCOL}', 'key.sbx_…'])\`; with a ` +
      'session it needs none, but has to be a page of ours; a member of several tenants offers ' +
      '`tenant.<id>`. Closed with 4401: the credential does not hold any more; 4403: the role was ' +
      'lowered; 4408: open it again.',
    role: 'viewer',
    query: later(() =>
      z.strictObject({
        cursor: z
          .string()
          .min(1)
          .max(64)
          .optional()
          .describe('Of the last message that was received'),
      }),
    ),
    answer: {
      status: 101,
      description: 'The socket; each of its messages is one of these',
      schema: liveMessage,
    },
    problems: [426],
    async handle({ request, env, tenantId, actor, role, keyId }, { query: { cursor } }) {
      if (!wantsSocket(request))
        return refusal('upgrade_required', 'Open it as a WebSocket: Upgrade: websocket.');
      const isOffered = offersProtocol(request);
      if (isOffered === false)
        return refusal('validation_failed', `Offer the subprotocol ${LIVE_PROTOCOL}.`);
      const viewer = { credential: credentialOf(actor, keyId), role };
      const { status, webSocket } = await openLive(env, tenantId, viewer, cursor);
      if (webSocket === null) return refused(status);
      const headers = new Headers();
      if (isOffered === true) headers.set('sec-websocket-protocol', LIVE_PROTOCOL);
      return new Response(null, { status: 101, webSocket, headers });
    },
  }),
];

function credentialOf({ id }: { id: string }, keyId: string | null): LiveViewer['credential'] {
  return keyId === null ? { type: 'member', id } : { type: 'api_key', id: keyId };
}

function refused(status: number): Refusal {
  if (status === 429) {
    const detail = `A tenant has at most ${LIVE_SOCKETS_MAX} live sockets at once.`;
    return { ...refusal('rate_limited', detail), retryAfterMs: FULL_RETRY_MS };
  }
  // Between being let in and being here.
  return status === 403
    ? refusal('forbidden', 'The role was lowered just now.')
    : refusal('unauthenticated', 'The credential does not hold any more.');
}
