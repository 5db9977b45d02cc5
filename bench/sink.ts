/**
 * Where every system delivers to, in a process of its own. `POST /hook` with `{"id"}` is noted with
 * its time; `GET /seen` tells what came since `DELETE /seen`.
 */
import { createServer } from 'node:http';
import { now } from './support/clock.ts';

const times = new Map<string, number[]>();

const server = createServer(async (request, response) => {
  if (request.method === 'DELETE') times.clear();
  if (request.method === 'GET') {
    response.end(JSON.stringify(Object.fromEntries(times)));
    return;
  }
  const at = now();
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  if (request.method === 'POST') {
    const { id } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    times.set(id, [...(times.get(id) ?? []), at]);
  }
  response.end('ok');
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address !== 'string') console.log(`port ${address.port}`);
});
process.stdin.on('close', () => process.exit(0)).resume();
