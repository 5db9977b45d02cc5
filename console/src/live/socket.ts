/**
 * What the server says by itself: that something changed, never what is in it. One WebSocket for the
 * whole console, which goes on where it was after a break. Where none can be had (a server without it, a
 * proxy between), the pages keep asking as they do anyhow (live.ts). docs/live.md
 */
import type { LiveMessage } from '../../../src/contract/live.ts';
import { chosenTenant, heldBearer, socketUrl } from '../api/client.ts';
import { queries } from './queries.ts';

const PROTOCOL = 'signalbox.v1';
const PING_MS = 30_000;
/** The server closed it, for the credential holds no more: to ask is to be told so. */
const SHUT_OUT = 4401;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
/** Changes come in bursts: what they touch is asked for once, and not without end. */
const TOGETHER_MS = 200;
const APART_MS = 1_000;
/** Answers that take longer hold up what changes meanwhile no more. */
const ANSWERED_MS = 10_000;

/** Which questions of the console a change is about: the beginnings of their names. */
const TOUCHED: Readonly<Record<LiveMessage['kind'], readonly string[]>> = {
  event: ['events'],
  run: ['runs'],
  approval: ['inbox'],
  reset: [],
};
/** Nothing that somebody is writing is replaced under their hands. */
const WRITTEN = 'workflow';

let socket: WebSocket | null = null;
let cursor: string | null = null;
let retryMs = FIRST_RETRY_MS;
let retry: ReturnType<typeof setTimeout> | undefined;
/** Something is to be asked, or its answer is awaited. */
let isAsking = false;
let askedAt = 0;
/** Beginnings of the names of questions, as text. */
const waiting = new Set<string>();
let isAll = false;

/** Whether changes are told, so that asking for them may be rare. */
export function isTold(): boolean {
  return socket?.readyState === WebSocket.OPEN;
}

/** Listens as long as somebody is signed in. @returns ends it */
export function listen(): () => void {
  open();
  return () => {
    clearTimeout(retry);
    cursor = null;
    const closing = socket;
    socket = null;
    closing?.close();
  };
}

function open(): void {
  const opened = new WebSocket(socketUrl('/api/admin/live', { cursor }), protocols());
  socket = opened;
  const ping = setInterval(() => {
    if (opened.readyState === WebSocket.OPEN) opened.send('ping');
  }, PING_MS);
  opened.addEventListener('message', ({ data }) => {
    retryMs = FIRST_RETRY_MS;
    if (data !== 'pong') take(JSON.parse(String(data)));
  });
  opened.addEventListener('close', ({ code }) => {
    clearInterval(ping);
    if (socket !== opened) return;
    if (code === SHUT_OUT) void queries.invalidateQueries();
    retry = setTimeout(open, retryMs * (0.5 + Math.random()));
    retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
  });
}

/** A browser's WebSocket has no headers: what would be in one is offered as a protocol. */
function protocols(): string[] {
  const [bearer, tenant] = [heldBearer(), chosenTenant()];
  return [
    PROTOCOL,
    ...(bearer === null ? [] : [`key.${bearer}`]),
    ...(tenant === null ? [] : [`tenant.${tenant}`]),
  ];
}

function take(message: LiveMessage): void {
  const { kind } = message;
  cursor = message.cursor;
  isAll ||= kind === 'reset';
  for (const name of TOUCHED[kind]) waiting.add(name);
  // A run that is shown tells its approvals too, and an approval does not say whose it is.
  if (message.kind === 'run') waiting.add(`run/${message.id}`);
  if (kind === 'approval') waiting.add('run');
  if (!isAsking) askSoon();
}

function askSoon(): void {
  isAsking = true;
  setTimeout(askAgain, Math.max(TOGETHER_MS, askedAt + APART_MS - Date.now()));
}

/**
 * Those on the screen are asked again now, the others when they are looked at. An answer that is on its
 * way may be older than the change, so its question is put anew; but never one that was put here, or a
 * slow list under constant change would never be seen.
 */
async function askAgain(): Promise<void> {
  askedAt = Date.now();
  const touched = [...waiting].map((name) => name.split('/'));
  const all = isAll;
  waiting.clear();
  isAll = false;
  const answered = queries.invalidateQueries({
    predicate: ({ queryKey }) =>
      all
        ? queryKey[0] !== WRITTEN
        : touched.some((name) => name.every((part, at) => queryKey[at] === part)),
    refetchType: document.hidden ? 'none' : 'active',
  });
  await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, ANSWERED_MS))]);
  isAsking = false;
  if (isAll || waiting.size > 0) askSoon();
}
