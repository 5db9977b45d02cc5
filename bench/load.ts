/** The load generator, in a process of its own: keep-alive connections, bodies made beforehand. */
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { now, pause } from './support/clock.ts';
import type { LoadJob, LoadReport, LoadRequest } from './support/load-job.ts';

const REFUSALS_KEPT = 5;
const REFUSAL_LENGTH_MAX = 300;

const job: LoadJob = JSON.parse(await text(process.stdin));
const agent = new Agent({ keepAlive: true, maxSockets: job.senders });
const sentAt: Record<string, number> = {};
const tookMs: number[] = [];
const refused: string[] = [];
const waiting = job.requests.entries();

const begun = now();
await Promise.all(Array.from({ length: job.senders }, send));
const report: LoadReport = { begun, sentAt, tookMs, refused };
process.stdout.write(JSON.stringify(report));
agent.destroy();

async function send(): Promise<void> {
  for (const [index, one] of waiting) {
    const early = job.rate === 0 ? 0 : begun + (index * 1_000) / job.rate - now();
    if (early > 0) await pause(early);
    const at = now();
    for (const id of one.ids) sentAt[id] = at;
    const refusal = await answerTo(one);
    tookMs[index] = now() - at;
    if (refusal !== null && refused.length < REFUSALS_KEPT) refused.push(refusal);
  }
}

/** Null when it was 2xx, else what came instead. */
function answerTo({ method, path, headers, body }: LoadRequest): Promise<string | null> {
  return new Promise((resolve) => {
    const all = {
      ...job.headers,
      ...headers,
      ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    };
    const sending = request(
      new URL(path, job.origin),
      { method, agent, headers: all },
      (answer) => {
        const { statusCode = 0 } = answer;
        if (statusCode >= 200 && statusCode < 300) {
          answer.resume().once('end', () => resolve(null));
          return;
        }
        const said = (words: string) => resolve(`${path}: ${statusCode} ${words}`);
        text(answer).then(
          (words) => said(words.slice(0, REFUSAL_LENGTH_MAX)),
          () => said('(cut off)'),
        );
      },
    );
    sending.once('error', (error) => resolve(`${path}: ${error.message}`));
    sending.end(body);
  });
}
