/** Addresses of the receiver that listens beside the tests: requests to it are real HTTP. */
import { inject } from 'vitest';
import type { Reply, Script, Taken } from '../../fixtures/receiver/script.ts';

export interface RealAddress {
  readonly url: string;
  /** What came so far, in order. */
  taken(): Promise<readonly Taken[]>;
  /** What is answered from now on. */
  react(script: Script): Promise<void>;
}

/** A new address. Replies are given in turn, the last one from then on; without any: 200. */
export async function openAddress(script: Script | readonly Reply[] = []): Promise<RealAddress> {
  const origin = inject('receiver');
  const control = async (path: string, body?: Script) => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    return await fetch(`${origin}/control${path}`, init);
  };
  const opened: { number: number } = await (await control('', scriptOf(script))).json();
  const path = `/${opened.number}`;
  return {
    url: `${origin}/at${path}/hook`,
    taken: async () => await (await control(path)).json(),
    react: async (next) => void (await (await control(path, next)).text()),
  };
}

function scriptOf(script: Script | readonly Reply[]): Script {
  return 'replies' in script || 'seed' in script ? script : { replies: script };
}
