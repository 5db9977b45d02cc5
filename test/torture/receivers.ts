/**
 * The destinations of the tenants' webhooks, in one server: `/<tenant>/steady` takes everything,
 * `/<tenant>/flaky` fails in every way until it is told to be calm. What came is kept.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import type { Chance } from './chance.ts';
import type { Arrival } from './story.ts';

export interface Receivers {
  readonly origin: string;
  /** All of them take everything from now on. */
  calm(): void;
  close(): Promise<void>;
}

type Reaction = { readonly status: number; readonly headers?: Record<string, string> } | null;

/** @param arrivals what comes is added here @param secret the one that all tenants sign with */
export async function openReceivers(
  arrivals: Arrival[],
  secret: string,
  chance: Chance,
): Promise<Receivers> {
  const verifier = new Webhook(secret);
  let calm = false;
  const server = createServer(async (request, response) => {
    const body = await text(request).catch(() => null);
    // Broken off in the middle: whoever sent it has died.
    if (body === null) return;
    const path = request.url ?? '';
    const reaction = path.endsWith('/flaky') && !calm ? reactionBy(chance) : { status: 200 };
    arrivals.push({
      at: Date.now(),
      path,
      webhookId: header(request, 'webhook-id'),
      body,
      isSigned: isSigned(verifier, request, body),
      status: reaction?.status ?? null,
    });
    react(response, reaction);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new Error('the receivers have no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    calm() {
      calm = true;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function reactionBy(chance: Chance): Reaction {
  return chance.weighted<Reaction>([
    [60, { status: 200 }],
    [20, { status: 500 }],
    [8, { status: 429, headers: { 'retry-after': '1' } }],
    [4, { status: 302, headers: { location: '/elsewhere' } }],
    [8, null],
  ]);
}

/** A connection that is cut is as good as one that hangs, and quicker. */
function react(response: ServerResponse, reaction: Reaction): void {
  if (reaction === null) response.socket?.destroy();
  else response.writeHead(reaction.status, reaction.headers).end('noted');
}

function header(request: IncomingMessage, name: string): string {
  return String(request.headers[name] ?? '');
}

function isSigned(verifier: Webhook, request: IncomingMessage, body: string): boolean {
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
  try {
    verifier.verify(body, Object.fromEntries(names.map((name) => [name, header(request, name)])));
    return true;
  } catch {
    return false;
  }
}
