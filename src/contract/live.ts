/**
 * What a tenant's live socket says: that something changed, and how it stands now; never what is in it.
 * Whoever wants to see it asks for it. docs/live.md
 */
import * as z from 'zod';
import { later } from './later.ts';
import { approvalStatus, runStatus } from './runs.ts';

/** The WebSocket subprotocol that we speak. */
export const LIVE_PROTOCOL = 'signalbox.v1';

/** Why we close a socket. 4000 to 4999 are for applications (RFC 6455, 7.4.2). */
export const LIVE_CLOSE = {
  /** The key was revoked, or the member removed. */
  unauthenticated: 4401,
  /** The caller's role is lower than when the socket was opened. */
  forbidden: 4403,
  /** The receiver is too slow, or the socket too old: it may be opened again at once. */
  again: 4408,
  /** RFC 6455: a message that we do not take. */
  unwanted: 1008,
} as const;

const cursor = later(() =>
  z.string().describe('Where to go on from: `?cursor=` of the next socket'),
);
const id = later(() => z.string());

export const liveMessage = later(() =>
  z
    .discriminatedUnion('kind', [
      z.object({ cursor, kind: z.literal('event'), id, status: z.literal('received') }),
      z.object({ cursor, kind: z.literal('run'), id, status: runStatus }),
      z.object({ cursor, kind: z.literal('approval'), id, runId: id, status: approvalStatus }),
      z
        .object({ cursor, kind: z.literal('reset') })
        .describe('Anything may have changed since: fetch what you show again'),
    ])
    .meta({ id: 'LiveMessage' }),
);
export type LiveMessage = z.infer<typeof liveMessage>;

type WithoutCursor<Message> = Message extends LiveMessage ? Omit<Message, 'cursor'> : never;
/** A change before it has its place. */
export type LiveChange = WithoutCursor<Exclude<LiveMessage, { kind: 'reset' }>>;
