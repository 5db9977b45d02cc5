/** Requests to a server that may be gone at any moment: every one is counted, none throws. */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Answer } from '../e2e/support/client.ts';
import { send } from '../e2e/support/client.ts';
import type { Operation, Outcome, Story } from './story.ts';

const FAULTS_KEPT = 20;
const RETRY_PAUSE_MS = 150;

export interface Reply {
  readonly outcome: Outcome;
  readonly status: number;
  /** What was answered as JSON; null for anything else. */
  readonly body: unknown;
}

export interface Request {
  readonly key: string;
  readonly path: string;
  /** Sent by POST; without it: GET. */
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Asked extends Pick<Operation, 'tenantId' | 'kind' | 'subject' | 'audit'> {
  readonly actorId?: string;
  /** Repeated under one `Idempotency-Key` until it is answered. */
  readonly keyed?: boolean;
}

export class Caller {
  readonly #origin: string;
  readonly #story: Story;
  readonly #patienceMs: number;

  /** @param patienceMs how long what goes under an `Idempotency-Key` is repeated */
  constructor(origin: string, story: Story, patienceMs: number) {
    this.#origin = origin;
    this.#story = story;
    this.#patienceMs = patienceMs;
  }

  async request({ key, path, body, headers = {} }: Request): Promise<Reply> {
    const answer = await send(`${this.#origin}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch(() => null);
    const status = answer?.status ?? 0;
    this.#story.answered.set(status, (this.#story.answered.get(status) ?? 0) + 1);
    if (answer !== null && status >= 500) this.#noteFault(path, answer);
    return { outcome: outcomeOfStatus(status), status, body: jsonOf(answer) };
  }

  /** One operation of the story. Its answer is the last one that came. */
  async ask(asked: Asked, request: Request): Promise<Reply> {
    const { actorId = null, keyed = false, ...told } = asked;
    const requestId = `op-${randomUUID()}`;
    const operation: Operation = { ...told, actorId, requestId, outcomes: [] };
    this.#story.operations.push(operation);
    const headers = {
      'x-request-id': requestId,
      ...(keyed ? { 'idempotency-key': requestId } : {}),
    };
    const giveUpAt = Date.now() + this.#patienceMs;
    for (;;) {
      const reply = await this.request({ ...request, headers });
      // A first request that still runs, or has died, has said nothing of what became of it.
      const isUnderWay = keyed && codeOf(reply) === 'idempotency_in_progress';
      operation.outcomes.push(isUnderWay ? 'unknown' : reply.outcome);
      const isOpen = isUnderWay || reply.outcome === 'unknown';
      if (!keyed || !isOpen || Date.now() > giveUpAt) return reply;
      await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
    }
  }

  /** What a GET answers, or null when it does not. */
  async read<Schema extends z.ZodType>(
    key: string,
    path: string,
    schema: Schema,
  ): Promise<z.output<Schema> | null> {
    const { outcome, body } = await this.request({ key, path });
    return outcome === 'ok' ? schema.parse(body) : null;
  }

  #noteFault(path: string, { status, text }: Answer): void {
    if (this.#story.faults.length < FAULTS_KEPT)
      this.#story.faults.push(
        `${new Date().toISOString()} ${path} ${status} ${text.slice(0, 300)}`,
      );
  }
}

const coded = z.object({ code: z.string() });

/** The stable word of a refusal. */
export function codeOf({ body }: Reply): string | null {
  return coded.safeParse(body).data?.code ?? null;
}

function outcomeOfStatus(status: number): Outcome {
  if (status >= 200 && status < 300) return 'ok';
  return status >= 400 && status < 500 ? 'fail' : 'unknown';
}

function jsonOf(answer: Answer | null): unknown {
  try {
    return answer === null ? null : JSON.parse(answer.text);
  } catch {
    return null;
  }
}
