/** The load generator, in a process of its own: keep-alive connections, bodies made beforehand. */
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { now } from './support/clock.ts';
import type { LoadJob, LoadReport } from './support/load-job.ts';

const REFUSALS_KEPT = 5;

const job: LoadJob = JSON.parse(await text(process.stdin));
const agent = new Agent({ keepAlive: true, maxSockets: job.senders });
const sentAt: Record<string, number> = {};
const refused: string[] = [];
const posts = postsOf(job);

const begun = now();
await Promise.all(Array.from({ length: job.senders }, send));
const report: LoadReport = { begun, sentAt, refused };
process.stdout.write(JSON.stringify(report));
agent.destroy();

function postsOf({ events, perPost, prefix }: LoadJob) {
  return Array.from({ length: Math.ceil(events / perPost) }, (_, post) => {
    const size = Math.min(perPost, events - post * perPost);
    const ids = Array.from({ length: size }, (_, n) => `${prefix}-${post * perPost + n}`);
    const all = ids.map((id) => ({
      id,
      source: 'bench',
      type: 'order.created',
      data: { order: { id, total: { amount: 25_000, currency: 'USD' } } },
    }));
    return { ids, body: JSON.stringify(perPost === 1 ? all[0] : all), first: post * perPost };
  }).values();
}

async function send(): Promise<void> {
  for (const { ids, body, first } of posts) {
    const due = job.rate === 0 ? 0 : begun + (first * 1_000) / job.rate - now();
    if (due > 0) await new Promise((resolve) => setTimeout(resolve, due));
    const at = now();
    for (const id of ids) sentAt[id] = at;
    await post(body);
  }
}

function post(body: string): Promise<void> {
  return new Promise((resolve) => {
    const note = (what: string) => {
      if (refused.length < REFUSALS_KEPT) refused.push(what);
      resolve();
    };
    const headers = {
      ...job.headers,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    };
    const sending = request(
      new URL(job.path, job.origin),
      { method: 'POST', agent, headers },
      (answer) => {
        const { statusCode = 0 } = answer;
        if (statusCode >= 200 && statusCode < 300) answer.resume().once('end', resolve);
        else
          text(answer).then(
            (said) => note(`${statusCode} ${said.slice(0, 200)}`),
            () => note(`${statusCode}`),
          );
      },
    );
    sending.once('error', (error) => note(error.message));
    sending.end(body);
  });
}
