/** What a thread of threads.ts does: it checks the segments that it is sent. */
import { parentPort, workerData } from 'node:worker_threads';
import { nodeSha256 } from './node-sha256.ts';
import { SegmentReader } from './segment.ts';
import type { Question, Reply } from './threads.ts';

const reader = new SegmentReader(nodeSha256, workerData === true);

parentPort?.on('message', (bytes: Question) => {
  const reply: Reply = reader.read(Buffer.from(bytes.buffer));
  parentPort?.postMessage(reply);
});
