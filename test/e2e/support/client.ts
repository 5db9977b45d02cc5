/** HTTP calls as one caller. Answers are checked against the contract's own schemas. */
import type * as z from 'zod';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Client {
  call(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer>;
  /** A 2xx answer of this shape; anything else is thrown, with what was answered. */
  get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>>;
  post<Schema extends z.ZodType>(
    path: string,
    body: object,
    schema: Schema,
  ): Promise<z.output<Schema>>;
}

/** @param token the Bearer credential */
export function clientOf(origin: string, token: string): Client {
  const call: Client['call'] = (method, path, body) =>
    send(`${origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    call,
    get: async (path, schema) => parsed(path, await call('GET', path), schema),
    post: async (path, body, schema) => parsed(path, await call('POST', path, body), schema),
  };
}

export async function send(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(30_000) });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

function parsed<Schema extends z.ZodType>(
  path: string,
  { status, text }: Answer,
  schema: Schema,
): z.output<Schema> {
  if (status < 200 || status > 299) throw new Error(`${path} answered ${status}: ${text}`);
  return schema.parse(JSON.parse(text));
}
