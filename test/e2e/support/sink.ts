/**
 * A receiver of webhooks on this machine. It keeps what came, checks every signature with the
 * reference library of Standard Webhooks, and answers what a test wants it to.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { Webhook } from 'standardwebhooks';

export interface Received {
  readonly id: string;
  readonly path: string;
  readonly body: string;
  /** Whether the reference library accepts the signature, under the secret the sink was given. */
  readonly verified: boolean;
}

export interface Reply {
  readonly status: number;
  readonly delayMs?: number;
}

export interface Sink {
  readonly url: string;
  readonly received: readonly Received[];
  /** What to answer from now on; 200 at first. */
  reply(decide: (request: Received) => Reply): void;
  /** Nobody listens at the address any more, and what is under way breaks off. */
  goDown(): Promise<void>;
  /** Listens at the same address again. */
  comeUp(): Promise<void>;
}

/** @param secret `whsec_…`, the one that the sender signs with */
export async function openSink(secret: string): Promise<Sink> {
  const received: Received[] = [];
  const verifier = new Webhook(secret);
  let decide: (request: Received) => Reply = () => ({ status: 200 });
  const server = createServer(async (request, response) => {
    const body = await textOf(request).catch(() => undefined);
    if (body === undefined) return;
    const arrived = receivedFrom(request, body, verifier);
    received.push(arrived);
    const { status, delayMs = 0 } = decide(arrived);
    const answer = () => response.writeHead(status, { 'content-type': 'text/plain' }).end('noted');
    if (delayMs > 0) setTimeout(answer, delayMs).unref();
    else answer();
  });
  const port = await listen(server, 0);
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    reply(next) {
      decide = next;
    },
    async goDown() {
      if (!server.listening) return;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
    async comeUp() {
      await listen(server, port);
    },
  };
}

function receivedFrom(request: IncomingMessage, body: string, verifier: Webhook): Received {
  const header = (name: string) => String(request.headers[name] ?? '');
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
  const headers = Object.fromEntries(names.map((name) => [name, header(name)]));
  return {
    id: header('webhook-id'),
    path: request.url ?? '',
    body,
    verified: doesNotThrow(() => verifier.verify(body, headers)),
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

function doesNotThrow(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the sink has no port');
  return address.port;
}
