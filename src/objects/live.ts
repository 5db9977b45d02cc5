/**
 * A tenant's live sockets. They hibernate: an idle one keeps no instance in memory, and its pings are
 * answered by the platform. What is told comes from read-model.ts, once the read model shows it.
 * https://developers.cloudflare.com/durable-objects/best-practices/websockets/
 */
import * as z from 'zod';
import { ROLES, role } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { LIVE_CLOSE, type LiveChange, type LiveMessage } from '../contract/live.ts';
import { fullBucket, take } from '../engine/token-bucket.ts';
import { logError } from '../log.ts';
import { identityNow } from './identity.ts';
import { LiveFeed } from './live-feed.ts';
import type { Parcel } from './projection.ts';
import type { Stores } from './stores.ts';

/** Who listens, by which credential: it is asked again whenever keys or members change. */
export const liveViewer = later(() =>
  z.object({
    credential: z.object({ type: z.enum(['api_key', 'member']), id: z.string() }),
    role,
  }),
);
export type LiveViewer = z.infer<typeof liveViewer>;

/** What the platform keeps with a socket while the object is out of memory. */
const attachment = later(() => liveViewer.unwrap().extend({ openedAt: z.number() }));

export const LIVE_SOCKETS_MAX = 100;
/** Beyond it one `reset` stands for all, a second later: nobody reads faster, and each goes to all. */
const RATE = { perSecond: 20, burst: 100 };
const RESET_AFTER_MS = 1_000;
/**
 * A receiver that has not pinged for so long does not get what it is sent, or does not read it: the
 * platform holds that for it, which has to end somewhere.
 */
export const SILENT_MAX_MS = 75_000;
/** As long as a sign-in lasts: whoever is still there opens another. */
const LASTS_MS = 12 * 3_600_000;

export class Live {
  readonly #ctx: DurableObjectState;
  readonly #stores: () => Stores;
  readonly #feed = new LiveFeed(crypto.randomUUID().slice(0, 8));
  #bucket = fullBucket(RATE, 0);
  #isResetDue = false;

  constructor(ctx: DurableObjectState, stores: () => Stores) {
    this.#ctx = ctx;
    this.#stores = stores;
  }

  /** A socket's other end, or the status that it is refused with. */
  open(viewer: LiveViewer, cursor: string | undefined): WebSocket | 401 | 403 | 429 {
    const now = Date.now();
    const refused = this.#closeCode(viewer, now);
    if (refused !== null) return refused === LIVE_CLOSE.forbidden ? 403 : 401;
    if (this.#sockets().length >= LIVE_SOCKETS_MAX) return 429;
    const { 0: theirs, 1: ours } = new WebSocketPair();
    this.#ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
    this.#ctx.acceptWebSocket(ours);
    ours.serializeAttachment({ ...viewer, openedAt: now });
    for (const message of this.#feed.since(cursor)) ours.send(JSON.stringify(message));
    return theirs;
  }

  /** The read model has these. */
  tell(parcels: readonly Parcel[]): void {
    const changes = changesOf(parcels);
    if (changes.length === 0 || this.#isResetDue) return;
    if (this.#sockets().length === 0) {
      this.#feed.add(changes);
      return;
    }
    const taken = take(this.#bucket, RATE, changes.length, Date.now());
    this.#bucket = taken.bucket;
    if (taken.ok && changes.length <= RATE.burst) this.#send(this.#feed.add(changes));
    else this.#resetSoon();
  }

  /** Keys or members have changed: whoever may not listen any more is cut off. */
  recheck(): void {
    const now = Date.now();
    for (const socket of this.#sockets()) {
      const code = this.#closeCode(attachment.parse(socket.deserializeAttachment()), now);
      if (code !== null) socket.close(code, REASONS[code]);
    }
  }

  #resetSoon(): void {
    this.#isResetDue = true;
    const later = scheduler.wait(RESET_AFTER_MS).then(() => {
      this.#isResetDue = false;
      this.#send([this.#feed.skip()]);
    });
    this.#ctx.waitUntil(later);
  }

  #send(messages: readonly LiveMessage[]): void {
    const texts = messages.map((message) => JSON.stringify(message));
    const now = Date.now();
    for (const socket of this.#sockets()) {
      if (this.#isOver(socket, now)) socket.close(LIVE_CLOSE.again, REASONS[LIVE_CLOSE.again]);
      else sendTo(socket, texts);
    }
  }

  /** Too old, or silent for too long. */
  #isOver(socket: WebSocket, now: number): boolean {
    const { openedAt } = attachment.parse(socket.deserializeAttachment());
    const pinged = this.#ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? openedAt;
    return now - openedAt > LASTS_MS || now - Math.max(openedAt, pinged) > SILENT_MAX_MS;
  }

  /** Why a viewer may not listen any more; null while they may. */
  #closeCode({ credential, role }: LiveViewer, now: number) {
    const identity = identityNow(credential, this.#stores(), now);
    if (identity === null) return LIVE_CLOSE.unauthenticated;
    return ROLES.indexOf(identity.role) < ROLES.indexOf(role) ? LIVE_CLOSE.forbidden : null;
  }

  /** Those that are not closing already. */
  #sockets(): WebSocket[] {
    const open = WebSocket.READY_STATE_OPEN;
    return this.#ctx.getWebSockets().filter(({ readyState }) => readyState === open);
  }
}

const REASONS = {
  [LIVE_CLOSE.unauthenticated]: 'The credential does not hold any more.',
  [LIVE_CLOSE.forbidden]: 'The role was lowered.',
  [LIVE_CLOSE.again]: 'Open it again, with the last cursor.',
} as const;

/** One that has just gone holds up no other, nor what else the tenant does. */
function sendTo(socket: WebSocket, texts: readonly string[]): void {
  try {
    for (const text of texts) socket.send(text);
  } catch (error) {
    logError({ what: 'live_send_failed' }, error);
  }
}

/** How everything of which the parcels tell stands now; each thing once. */
function changesOf(parcels: readonly Parcel[]): LiveChange[] {
  const events = parcels.flatMap((parcel) => parcel.events ?? []);
  const runs = newestOf(parcels.flatMap((parcel) => parcel.runs ?? []));
  const approvals = newestOf(parcels.flatMap((parcel) => parcel.approvals ?? []));
  return [
    ...events.map(({ id }) => ({ kind: 'event', id, status: 'received' }) as const),
    ...runs.map(({ item: { id, status } }) => ({ kind: 'run', id, status }) as const),
    ...approvals.map(
      ({ item: { id, runId, status } }) => ({ kind: 'approval', id, runId, status }) as const,
    ),
  ];
}

function newestOf<Told extends { readonly item: { readonly id: string }; readonly seq: number }>(
  told: readonly Told[],
): Told[] {
  const newest = new Map<string, Told>();
  for (const one of told)
    if (one.seq >= (newest.get(one.item.id)?.seq ?? 0)) newest.set(one.item.id, one);
  return [...newest.values()];
}
