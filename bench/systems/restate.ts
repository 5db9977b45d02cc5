/** Restate as a system of the bench: its server from npm, and a Node service that its SDK serves. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ask, call } from '../support/ask.ts';
import { pause } from '../support/clock.ts';
import type { LoadRequest } from '../support/load-job.ts';
import { freePort, type Running, startCommand, together } from '../support/processes.ts';
import { installPeer } from './install.ts';
import { inParts, LAST_OF_ROUND, orderCreated, type Round, type System } from './system.ts';

const HEADERS = { 'content-type': 'application/json' };
const STARTS_AT_ONCE = 16;

export async function startRestate(sinkUrl: string): Promise<System> {
  const dir = await installPeer('restate');
  const stateDir = mkdtempSync(join(tmpdir(), 'bench-restate-'));
  const [servicePort, ingressPort, adminPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const service = await startCommand(
    {
      command: process.execPath,
      args: ['serve.mjs', String(servicePort), sinkUrl],
      cwd: dir,
      // https://docs.restate.dev/develop/ts/serving: leaves out what helps in development.
      env: { NODE_ENV: 'production', RESTATE_LOGGING: 'ERROR' },
    },
    /ready/,
  );
  const server = await startServer(dir, stateDir, ingressPort, adminPort);
  const admin = `http://127.0.0.1:${adminPort}`;
  await ask(`${admin}/deployments`, { body: { uri: `http://127.0.0.1:${servicePort}` } });
  return systemOf(together([server, service]), `http://127.0.0.1:${ingressPort}`, admin, dir, () =>
    rmSync(stateDir, { recursive: true, force: true }),
  );
}

async function startServer(
  dir: string,
  stateDir: string,
  ingressPort: number,
  adminPort: number,
): Promise<Running> {
  // The package for this machine has the server itself; the one that depends on it only starts it.
  const name = `@restatedev/restate-server-${process.platform}-${process.arch}`;
  const pack = createRequire(join(dir, 'package.json')).resolve(`${name}/package.json`);
  return await startCommand(
    {
      command: join(dirname(pack), 'bin', 'restate-server'),
      args: [
        ...['--base-dir', stateDir, '--node-name', 'bench', '--no-logo'],
        ...['--bind-ip', '127.0.0.1', '--bind-port', String(await freePort())],
        ...['--listen-mode', 'tcp'],
      ],
      cwd: dir,
      env: {
        RESTATE_DISABLE_TELEMETRY: 'true',
        RESTATE_INGRESS__BIND_PORT: String(ingressPort),
        RESTATE_ADMIN__BIND_PORT: String(adminPort),
      },
    },
    /became Leader/,
  );
}

function systemOf(
  running: Running,
  origin: string,
  admin: string,
  dir: string,
  tidyUp: () => void,
): System {
  const { dependencies } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
  return {
    name: 'Restate',
    version: `${dependencies['@restatedev/restate-server']}, SDK ${dependencies['@restatedev/restate-sdk']}`,
    part: 1,
    isNewEachTurn: false,
    running,
    origin,
    events: ({ ids }, perPost) =>
      perPost === 1
        ? ids.map((id) => ({
            ...post('/orders/created/send', orderCreated(id), [id]),
            headers: { ...HEADERS, 'idempotency-key': id },
          }))
        : inParts(ids, perPost).map((part) =>
            post('/orders/batch/send', part.map(orderCreated), part),
          ),
    decisions: (round) => prepareDecisions(origin, round),
    isDone: async (round) => {
      for (const id of round.ids.slice(-LAST_OF_ROUND))
        if (!(await hasEnded(origin, round.kind, id))) return false;
      return true;
    },
    succeeded: (round) => succeeded(admin, round),
    async stop() {
      await running.stop();
      tidyUp();
    },
  };
}

function post(path: string, body: unknown, ids: readonly string[]): LoadRequest {
  return { method: 'POST', path, headers: HEADERS, body: JSON.stringify(body), ids };
}

async function prepareDecisions(origin: string, { ids }: Round): Promise<LoadRequest[]> {
  for (const part of inParts(ids, STARTS_AT_ONCE))
    await Promise.all(part.map((id) => ask(`${origin}/gated/${id}/run/send`, { body: {} })));
  await pause(2_000); // Nothing tells that an invocation has come to its promise.
  return ids.map((id) => post(`/gated/${id}/decide`, {}, [id]));
}

/** https://docs.restate.dev/services/invocation/http: 470 while it has not completed. */
async function hasEnded(origin: string, kind: Round['kind'], id: string): Promise<boolean> {
  const of = kind === 'orders' ? `invocation/orders/created/${id}` : `workflow/gated/${id}`;
  return (await call(`${origin}/restate/${of}/output`)).ok;
}

/** The table that its own console reads. */
async function succeeded(admin: string, { name, kind }: Round): Promise<string[]> {
  const [key, service, handler] =
    kind === 'orders'
      ? ['idempotency_key', 'orders', 'created']
      : ['target_service_key', 'gated', 'run'];
  const query = `SELECT ${key} AS id FROM sys_invocation
    WHERE target_service_name = '${service}' AND target_handler_name = '${handler}'
      AND ${key} LIKE '${name}-%' AND status = 'completed' AND completion_result = 'success'`;
  const { rows } = await ask(`${admin}/query`, { body: { query } });
  return rows.map(({ id }: { id: string }) => id);
}
