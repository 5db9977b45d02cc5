/**
 * What a bench asks of systems besides the load. Each call has a connection of its own: a server may
 * close one that it finds idle, after being held still above all, in the moment in which it is used.
 */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

const agent = new Agent({ keepAlive: false });

interface Asked {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** The answer, whatever it is. @throws Error when none comes */
export async function call(
  url: string,
  { body, headers, method = body === undefined ? 'GET' : 'POST' }: Asked = {},
): Promise<{ ok: boolean; status: number; said: string }> {
  const type = { accept: 'application/json', 'content-type': 'application/json' };
  const asking = request(url, { method, agent, headers: { ...type, ...headers } });
  asking.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer]: IncomingMessage[] = await once(asking, 'response');
  if (answer === undefined) throw new Error(`${url} did not answer`);
  const { statusCode: status = 0 } = answer;
  return { ok: status >= 200 && status < 300, status, said: await text(answer) };
}

/** The JSON that it answers. @throws Error unless the answer is 2xx */
export async function ask(url: string, asked: Asked = {}) {
  const { ok, status, said } = await call(url, asked);
  if (!ok) throw new Error(`${url} answered ${status}: ${said}`);
  return JSON.parse(said);
}
