/** Sending webhooks over real HTTP to a receiver on this machine that answers well, badly or never. */
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import { checkDestination } from '../../src/ports/destination.ts';
import {
  headerFaults,
  sendWebhook,
  type WebhookRequest,
  type WebhookResult,
} from '../../src/ports/webhook.ts';
import { newSigningSecret } from '../../src/ports/webhook-keys.ts';

const SECRET = newSigningSecret();
const RULES = { allowLoopbackHttp: true, ownHosts: [], allowed: null };
const BODY = '{"order":"1","name":"Zoë"}';
const NOW = Date.parse('2026-01-31T12:00:00.250Z');

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(handle: RequestListener): Promise<string> {
  const server = createServer(handle);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}/hook`;
}

interface Received {
  method: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A receiver that answers 200 and keeps what it was sent. */
async function listenAndKeep(received: Received[]): Promise<string> {
  return listen(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    received.push({ method: request.method, headers: request.headers, body });
    response.end('{"taken":true}');
  });
}

function send(url: string, over: Partial<WebhookRequest> = {}): Promise<WebhookResult> {
  const request: WebhookRequest = {
    destination: checkDestination(url, RULES),
    method: 'POST',
    headers: {},
    body: BODY,
    id: 'msg_1',
    secrets: [SECRET],
    timeoutMs: 5_000,
    now: NOW,
    ...over,
  };
  return sendWebhook(request, { fetch });
}

async function answeredWith(status: number, headers: Record<string, string> = {}, body = 'no') {
  const url = await listen((_request, response) => response.writeHead(status, headers).end(body));
  return send(url);
}

describe('what is sent', () => {
  it('carries the Standard Webhooks headers, and the reference library verifies it', async () => {
    const received: Received[] = [];
    const url = await listenAndKeep(received);
    const result = await send(url, { now: Date.now() });
    expect(result).toMatchObject({ ok: true, status: 200, body: '{"taken":true}' });
    const [{ method, headers, body } = { method: '', headers: {}, body: '' }] = received;
    expect({ method, body }).toEqual({ method: 'POST', body: BODY });
    expect(headers['content-type']).toBe('application/json');
    expect(headers['user-agent']).toBe('Signalbox/1 (+webhooks)');
    const signed = {
      'webhook-id': String(headers['webhook-id']),
      'webhook-timestamp': String(headers['webhook-timestamp']),
      'webhook-signature': String(headers['webhook-signature']),
    };
    expect(signed['webhook-id']).toBe('msg_1');
    expect(new Webhook(SECRET).verify(body, signed)).toEqual(JSON.parse(BODY));
  });

  it('keeps its id over attempts while the time, in whole seconds, and the signature are new', async () => {
    const received: Received[] = [];
    const url = await listenAndKeep(received);
    await send(url);
    await send(url, { now: NOW + 5_000 });
    const of = (name: string) => received.map(({ headers }) => headers[name]);
    expect(of('webhook-id')).toEqual(['msg_1', 'msg_1']);
    expect(of('webhook-timestamp')).toEqual(['1769860800', '1769860805']);
    expect(new Set(of('webhook-signature')).size).toBe(2);
  });

  it('sends the tenant’s headers, with its own content type but our user agent', async () => {
    const received: Received[] = [];
    const url = await listenAndKeep(received);
    const headers = {
      Authorization: 'Bearer t',
      'X-Shop': 'a b',
      'Content-Type': 'application/cloudevents+json',
      'User-Agent': 'curl',
    };
    await send(url, { headers });
    expect(received[0]?.headers).toMatchObject({
      authorization: 'Bearer t',
      'x-shop': 'a b',
      'content-type': 'application/cloudevents+json',
      'user-agent': 'Signalbox/1 (+webhooks)',
    });
  });

  it('signs with both secrets during a rotation', async () => {
    const received: Received[] = [];
    await send(await listenAndKeep(received), { secrets: [newSigningSecret(), SECRET] });
    expect(String(received[0]?.headers['webhook-signature'])).toMatch(/^v1,\S{44} v1,\S{44}$/);
  });

  it('sends no body with GET, and signs that', async () => {
    const received: Received[] = [];
    await send(await listenAndKeep(received), { method: 'get', now: Date.now() });
    const [{ method, headers, body } = { method: '', headers: {}, body: 'none' }] = received;
    expect({ method, body }).toEqual({ method: 'GET', body: '' });
    const theirs = new Webhook(SECRET).sign(
      'msg_1',
      new Date(Number(headers['webhook-timestamp']) * 1_000),
      '',
    );
    expect(headers['webhook-signature']).toBe(theirs);
  });
});

describe('what the status means', () => {
  it.each([200, 201, 202, 204, 299])('%d is success', async (status) => {
    expect(await answeredWith(status)).toMatchObject({ ok: true, status });
  });

  it.each([400, 401, 403, 404, 405, 408, 409, 413, 422, 425, 429, 500, 502, 503, 504, 599])(
    '%d fails and is worth another attempt',
    async (status) => {
      expect(await answeredWith(status)).toEqual({
        ok: false,
        sent: true,
        headers: { date: expect.any(String) },
        code: 'endpoint_failed',
        message: `The endpoint answered ${status}.`,
        retryable: true,
        retryAfterMs: null,
        status,
        body: 'no',
      });
    },
  );

  it('410 ends it, whatever Retry-After says', async () => {
    expect(await answeredWith(410, { 'retry-after': '5' })).toMatchObject({
      ok: false,
      code: 'endpoint_gone',
      retryable: false,
      retryAfterMs: null,
      status: 410,
    });
  });

  it.each([300, 301, 302, 303, 304, 307, 308])(
    '%d is a failure and not followed',
    async (status) => {
      let followed = 0;
      const canary = await listen((_request, response) => {
        followed += 1;
        response.end();
      });
      expect(await answeredWith(status, { location: canary })).toMatchObject({
        ok: false,
        code: 'redirect_refused',
        retryable: true,
        status,
      });
      expect(followed).toBe(0);
    },
  );

  it('never puts the text of an answer into the message', async () => {
    const result = await answeredWith(500, {}, 'secret-of-the-receiver');
    expect(result).toMatchObject({ body: 'secret-of-the-receiver' });
    expect(result.ok ? '' : result.message).not.toContain('secret');
  });
});

describe('Retry-After', () => {
  it.each([
    ['120', 120_000],
    ['0', 0],
    ['86400', 86_400_000],
    ['9999999', 86_400_000],
    ['9'.repeat(400), 86_400_000],
    ['Sat, 31 Jan 2026 12:01:00 GMT', 59_750],
    ['Sat, 31 Jan 2026 11:00:00 GMT', 0],
    ['Sat, 31 Jan 2037 12:00:00 GMT', 86_400_000],
    ['-5', null],
    ['1.5', null],
    ['soon', null],
    ['2026-01-31T12:01:00Z', null],
    ['Sat, 99 Foo 2026 12:01:00 GMT', null],
    ['', null],
  ])('%j is %j milliseconds', async (value, wait) => {
    const result = await answeredWith(429, { 'retry-after': value });
    expect(result).toMatchObject({ ok: false, retryAfterMs: wait });
  });

  it('is heard on 503 too', async () => {
    expect(await answeredWith(503, { 'retry-after': '7' })).toMatchObject({ retryAfterMs: 7_000 });
  });
});

describe('receivers that misbehave', () => {
  it('times out on one that never answers', async () => {
    const url = await listen(() => undefined);
    const started = Date.now();
    expect(await send(url, { timeoutMs: 200 })).toEqual({
      ok: false,
      sent: true,
      headers: {},
      code: 'timeout',
      message: 'The endpoint did not answer within 200 ms.',
      retryable: true,
      retryAfterMs: null,
      status: null,
      body: '',
    });
    expect(Date.now() - started).toBeLessThan(2_000);
  });

  it('calls a closed port and a reset connection by the same word, without internals', async () => {
    const reset = await listen((request) => request.socket.destroy());
    for (const url of [reset, 'http://127.0.0.1:1/hook'])
      expect(await send(url)).toMatchObject({
        code: 'connection_failed',
        message: 'The endpoint could not be reached.',
        retryable: true,
        status: null,
      });
  });

  it('keeps 4 KiB of a 10 MB answer and hangs up', async () => {
    let closedEarly: Promise<boolean> = Promise.resolve(false);
    const url = await listen((_request, response) => {
      closedEarly = new Promise((resolve) =>
        response.on('close', () => resolve(!response.writableFinished)),
      );
      response.end('x'.repeat(10_000_000));
    });
    expect(await send(url)).toMatchObject({ ok: true, status: 200, body: 'x'.repeat(4_096) });
    expect(await closedEarly).toBe(true);
  });

  it('takes the status of one whose body drips for ever, and is done at the deadline', async () => {
    let drip: NodeJS.Timeout | undefined;
    const url = await listen((_request, response) => {
      response.writeHead(200);
      drip = setInterval(() => response.write('.'), 20);
    });
    const started = Date.now();
    const result = await send(url, { timeoutMs: 300 });
    clearInterval(drip);
    expect(result).toMatchObject({ ok: true, status: 200, body: expect.stringMatching(/^\.+$/) });
    expect(Date.now() - started).toBeLessThan(2_000);
  });

  it('takes the status of one that breaks off in the middle of its body', async () => {
    const url = await listen((_request, response) => {
      response.writeHead(500, { 'content-length': '100' }).write('half');
      setTimeout(() => response.destroy(), 50);
    });
    expect(await send(url)).toMatchObject({ status: 500, retryable: true, body: 'half' });
  });

  it('does not garble a character that the cut goes through', async () => {
    const url = await listen((_request, response) => response.end(`x${'é'.repeat(4_000)}`));
    expect(await send(url)).toMatchObject({ body: `x${'é'.repeat(2_047)}` });
  });
});

describe('requests that are never made', () => {
  const untouched: typeof fetch = () => {
    throw new Error('the network was touched');
  };
  const rules = { allowLoopbackHttp: false, ownHosts: [], allowed: null };
  const attempt = ({
    url = 'https://example.com/hook',
    ...over
  }: Partial<WebhookRequest> & { readonly url?: string }) =>
    sendWebhook(
      {
        destination: checkDestination(url, rules),
        method: 'POST',
        headers: {},
        body: BODY,
        id: 'msg_1',
        secrets: [SECRET],
        timeoutMs: 1_000,
        now: NOW,
        ...over,
      },
      { fetch: untouched },
    );

  it.each([
    ['destination_refused', { url: 'http://127.0.0.1:9000/' }],
    ['destination_refused', { url: 'https://169.254.169.254/latest/meta-data/' }],
    ['destination_refused', { url: 'not a url' }],
    ['method_refused', { method: 'CONNECT' }],
    ['method_refused', { method: 'POST /' }],
    ['headers_refused', { headers: { 'Webhook-Id': 'msg_2' } }],
    ['headers_refused', { headers: { 'x-name': 'a\r\nhost: b' } }],
  ])('%s for %j, not to be tried again', async (code, over) => {
    expect(await attempt(over)).toMatchObject({ ok: false, code, retryable: false, status: null });
  });

  it('keeps credentials of a refused URL out of the message', async () => {
    const result = await attempt({ url: 'https://user:hunter2@example.com/' });
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });

  it('throws for a secret that cannot sign, since that is our fault', async () => {
    await expect(attempt({ secrets: [] })).rejects.toThrow(TypeError);
    await expect(attempt({ secrets: ['whsec_short'] })).rejects.toThrow(TypeError);
  });

  it('calls fetch as a plain function, which Workers insist on', async () => {
    const seen: unknown[] = [];
    const recording = async function (this: unknown): Promise<Response> {
      seen.push(this);
      return new Response('fine');
    };
    const destination = checkDestination('https://example.com./a', RULES);
    const request = { destination, method: 'PUT', headers: {}, body: BODY };
    const rest = { id: 'msg_1', secrets: [SECRET], timeoutMs: 1_000, now: NOW };
    const result = await sendWebhook({ ...request, ...rest }, { fetch: recording });
    expect(result).toMatchObject({ ok: true, status: 200, body: 'fine' });
    expect(seen).toEqual([undefined]);
  });
});

describe('headerFaults', () => {
  it('finds nothing wrong with ordinary headers', () => {
    expect(headerFaults({})).toEqual([]);
    expect(
      headerFaults({ Authorization: 'Bearer x', 'X-Shop_1': 'a\tb', 'content-type': 'text/plain' }),
    ).toEqual([]);
  });

  it.each([
    'Host',
    'cookie',
    'CF-Connecting-IP',
    'cf-worker',
    'webhook-id',
    'Webhook-Signature',
    'content-length',
    'Transfer-Encoding',
    'connection',
    'keep-alive',
    'proxy-authorization',
    'TE',
    'trailer',
    'upgrade',
    'expect',
    'forwarded',
    'X-Forwarded-For',
    'x-real-ip',
  ])('forbids %s', (name) => {
    expect(headerFaults({ [name]: 'x' })).toEqual([`The header "${name}" may not be set.`]);
  });

  it.each(['', ' ', 'a b', 'a:b', 'a\r\nb', 'naïve', 'x\u0000'])('%j is no name', (name) => {
    expect(headerFaults({ [name]: 'x' })).toHaveLength(1);
  });

  it.each(['a\rb', 'a\nb', 'a\u0000b', 'a\u007fb', 'Zoë', '€'])('%j is no value', (value) => {
    expect(headerFaults({ 'x-a': value })).toHaveLength(1);
  });

  it('tells every fault, and never a value', () => {
    const faults = headerFaults({
      host: 'hunter2',
      'a b': 'hunter2',
      'x-a': 'hunter2\n',
      ok: 'ok',
    });
    expect(faults).toHaveLength(3);
    expect(faults.join()).not.toContain('hunter2');
  });

  it('passes only what the platform’s own Headers take', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string({ unit: 'binary' })), (headers) => {
        if (headerFaults(headers).length === 0) expect(() => new Headers(headers)).not.toThrow();
      }),
    );
  });
});
