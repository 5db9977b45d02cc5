/** The outside world: every outgoing request of the Worker ends here, and answers as a test says. */
import { vi } from 'vitest';

export interface Received {
  readonly url: string;
  /** `webhook-id`: the step's idempotency key. */
  readonly id: string | null;
  readonly body: string;
}

/** A status, how long (milliseconds) the answer takes and then its status, or what happens before it. */
export type Reaction =
  | number
  | { readonly afterMs: number; readonly status: number }
  | Promise<number>;

export class Receiver {
  readonly received: Received[] = [];
  readonly #reactions = new Map<string, (nth: number) => Reaction>();
  #addresses = 0;

  /** Replaces `fetch` for this file; `vi.restoreAllMocks` gives it back. */
  listen(): void {
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      const url = String(input);
      const id = new Headers(init?.headers).get('webhook-id');
      this.received.push({ url, id, body: String(init?.body ?? '') });
      const reaction = await (this.#reactions.get(url)?.(this.at(url).length) ?? 200);
      if (typeof reaction === 'number') return new Response('ok', { status: reaction });
      await new Promise((resolve) => setTimeout(resolve, reaction.afterMs));
      return new Response('ok', { status: reaction.status });
    });
  }

  /** A new address. `react` is asked for each request, the first one being 1. */
  address(react: (nth: number) => Reaction = () => 200): string {
    this.#addresses += 1;
    const url = `https://hooks.example.com/${this.#addresses}`;
    this.#reactions.set(url, react);
    return url;
  }

  at(url: string): Received[] {
    return this.received.filter((request) => request.url === url);
  }

  /** The different messages that came: what a receiver that drops repetitions would act on. */
  idsAt(url: string): (string | null)[] {
    return [...new Set(this.at(url).map(({ id }) => id))];
  }
}
