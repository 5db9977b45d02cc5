/**
 * Where every system delivers to, in a process of its own. What comes is kept by round: an id is the
 * round's name, a hyphen, and a number.
 *
 * - `POST /hook` and `POST /slow/<ms>` with `{"id"}`: noted with its time; the latter answers late
 * - `GET /rounds/<round>?count=<n>&waitMs=<ms>`: the times by id, once so many ids came or the wait is over
 * - `DELETE /rounds`: forgets all of it
 */
import { createServer, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { now } from './support/clock.ts';

type Times = Map<string, number[]>;
interface Waiter {
  readonly round: string;
  readonly count: number;
  readonly answer: () => void;
}

const rounds = new Map<string, Times>();
const waiters = new Set<Waiter>();

const server = createServer(async (request, response) => {
  const at = now();
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://sink');
  const [, kind = '', name = ''] = pathname.split('/');
  if (request.method === 'POST') {
    const { id } = JSON.parse(await text(request));
    note(id, at);
    if (kind === 'slow') setTimeout(() => response.end('ok'), Number(name));
    else response.end('ok');
  } else if (request.method === 'DELETE') {
    rounds.clear();
    response.end('ok');
  } else {
    const count = Number(searchParams.get('count'));
    answerLater(response, name, count, Number(searchParams.get('waitMs')));
  }
});

function note(id: string, at: number): void {
  const name = id.slice(0, id.lastIndexOf('-'));
  const round: Times = rounds.get(name) ?? new Map();
  rounds.set(name, round);
  const times = round.get(id);
  if (times === undefined) round.set(id, [at]);
  else times.push(at);
  for (const waiter of waiters)
    if (waiter.round === name && round.size >= waiter.count) waiter.answer();
}

function answerLater(response: ServerResponse, round: string, count: number, waitMs: number): void {
  const answer = () => {
    clearTimeout(timer);
    waiters.delete(waiter);
    response.end(JSON.stringify(Object.fromEntries(rounds.get(round) ?? [])));
  };
  const waiter: Waiter = { round, count, answer };
  const timer = setTimeout(answer, waitMs);
  if ((rounds.get(round)?.size ?? 0) >= count) answer();
  else waiters.add(waiter);
}

// A system that was stopped for a while finds its connections as it left them.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address !== 'string') console.log(`port ${address.port}`);
});
process.stdin.on('close', () => process.exit(0)).resume();
