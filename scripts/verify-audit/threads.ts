/** Segments of a log, checked by several threads at once and given back in their order. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Checked } from './log.ts';
import { nodeSha256 } from './node-sha256.ts';
import { type Segment, SegmentReader } from './segment.ts';

/** More of them would wait for whoever reads the file. */
const THREADS_MAX = 4;
/** Chunks that wait for each thread, so that it never does. */
const AHEAD = 2;

/** What a thread is asked: whole lines. They are its own then, for nothing is shared. */
export type Question = Uint8Array<ArrayBuffer>;
export type Reply = Segment | null;

/** The chunks with what is known of each. A log of one chunk is not worth a thread. */
export async function* checkedByThreads(
  chunks: AsyncGenerator<Buffer>,
  wantsHashes: boolean,
): AsyncGenerator<Checked> {
  const [first, second] = [await chunks.next(), await chunks.next()];
  if (first.done === true) return;
  if (second.done === true) {
    const reader = new SegmentReader(nodeSha256, wantsHashes);
    yield { bytes: first.value, segment: reader.read(first.value) };
    return;
  }
  const count = Math.min(availableParallelism(), THREADS_MAX);
  const threads = Array.from({ length: count }, () => new Thread(wantsHashes));
  const waiting: Promise<Checked>[] = [];
  let next = 0;
  const ask = (bytes: Buffer) => {
    const thread = threads[next % count];
    next += 1;
    if (thread === undefined) return;
    const checked = thread.check(bytes);
    // Rejected while nobody looks, it is handled still: whoever awaits it later is told.
    checked.catch(() => undefined);
    waiting.push(checked);
  };
  try {
    ask(first.value);
    ask(second.value);
    for await (const bytes of chunks) {
      ask(bytes);
      const oldest = waiting.length > count * AHEAD ? waiting.shift() : undefined;
      if (oldest !== undefined) yield await oldest;
    }
    for (const one of waiting) yield await one;
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

/** Answers come in the order of the questions. */
class Thread {
  readonly #worker: Worker;
  readonly #open: PromiseWithResolvers<Reply>[] = [];

  constructor(wantsHashes: boolean) {
    this.#worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData: wantsHashes });
    this.#worker.on('message', (reply: Reply) => this.#open.shift()?.resolve(reply));
    this.#worker.on('error', (error) => {
      for (const question of this.#open.splice(0)) question.reject(error);
    });
  }

  async check(bytes: Buffer): Promise<Checked> {
    const question: Question = new Uint8Array(bytes);
    const reply = Promise.withResolvers<Reply>();
    this.#open.push(reply);
    this.#worker.postMessage(question, [question.buffer]);
    return { bytes, segment: await reply.promise };
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
