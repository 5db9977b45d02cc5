/** Addresses of the receiver that listens beside the tests: requests to it are real HTTP. */
import { inject } from 'vitest';
import type { Question, Reply, Script, Taken } from '../../fixtures/receiver/script.ts';

export interface RealAddress {
  readonly url: string;
  /** The same with TLS, under a certificate that nobody has vouched for. */
  readonly distrusted: string;
  /** What came so far, in order. */
  taken(): Promise<readonly Taken[]>;
  /** What is answered from now on. Requests that were held are answered now. */
  react(script: Script): Promise<void>;
}

/** A new address. Replies are given in turn, the last one from then on; without any: 200. */
export async function openAddress(script: Script | readonly Reply[] = []): Promise<RealAddress> {
  const opened: { number: number } = JSON.parse(await ask('/control', scriptOf(script)));
  const path = `/${opened.number}`;
  return {
    url: `${inject('receiver')}/at${path}/hook`,
    distrusted: `${inject('distrusted')}/at${path}/hook`,
    taken: async () => JSON.parse(await ask(`/control${path}`)),
    react: async (next) => void (await ask(`/control${path}`, next)),
  };
}

/** Whether a `v1a` signature verifies with a public key, by another program than the one that made it. */
export async function verifiesElsewhere(question: Question): Promise<boolean> {
  return JSON.parse(await ask('/verify', question));
}

async function ask(path: string, body?: object): Promise<string> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  return await (await fetch(`${inject('receiver')}${path}`, init)).text();
}

function scriptOf(script: Script | readonly Reply[]): Script {
  return 'replies' in script || 'seed' in script ? script : { replies: script };
}
