/** n8n as a system of the bench: from npm, with SQLite; its execution table is its run log. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { call } from '../support/ask.ts';
import { until } from '../support/clock.ts';
import { freePort, startCommand } from '../support/processes.ts';
import { installPeer } from './install.ts';
import { LAST_OF_ROUND, orderCreated, type Round, type System } from './system.ts';

const CLI = 'node_modules/n8n/bin/n8n';
const HEADERS = { 'content-type': 'application/json' };
const PATH = '/webhook/orders';
const SUCCEEDED = `SELECT d.data FROM execution_entity e JOIN execution_data d ON d.executionId = e.id
  WHERE e.status = 'success' AND e.workflowId = 'benchOrders'`;

export async function startN8n(sinkUrl: string): Promise<System> {
  const dir = await installPeer('n8n');
  const stateDir = mkdtempSync(join(tmpdir(), 'bench-n8n-'));
  const port = await freePort();
  const env = { ...process.env, ...settings(stateDir, port, await freePort()) };
  const file = join(stateDir, 'workflow.json');
  const run = (...args: string[]) =>
    execFileSync(process.execPath, args, { cwd: dir, env, stdio: 'ignore' });
  run('workflow.mjs', file, sinkUrl);
  run(CLI, 'import:workflow', `--input=${file}`);
  run(CLI, 'publish:workflow', '--id=benchOrders');
  const running = await startCommand(
    { command: process.execPath, args: [CLI, 'start'], cwd: dir, env },
    /Editor is now accessible/,
  );
  const origin = `http://127.0.0.1:${port}`;
  await untilPublished(origin);
  const log = new DatabaseSync(join(stateDir, '.n8n', 'database.sqlite'), { readOnly: true });
  const { dependencies } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
  return {
    name: 'n8n',
    version: dependencies.n8n,
    part: 0.2,
    isNewEachTurn: false,
    running,
    origin,
    events: ({ ids }, perPost) => (perPost === 1 ? ids.map(post) : null),
    decisions: null,
    isDone: async (round) => isDone(log, round),
    succeeded: async (round) => succeeded(log, round),
    async stop() {
      log.close();
      await running.stop();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

/** https://docs.n8n.io/hosting/configuration/environment-variables/: nothing that leaves the machine. */
function settings(stateDir: string, port: number, brokerPort: number): NodeJS.ProcessEnv {
  return {
    N8N_USER_FOLDER: stateDir,
    N8N_PORT: String(port),
    N8N_LISTEN_ADDRESS: '127.0.0.1',
    N8N_DIAGNOSTICS_ENABLED: 'false',
    N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
    N8N_TEMPLATES_ENABLED: 'false',
    N8N_PERSONALIZATION_ENABLED: 'false',
    // No node of the workflow runs code of its own, so no runner for such is started.
    N8N_RUNNERS_MODE: 'external',
    N8N_RUNNERS_AUTH_TOKEN: 'nobody-asks',
    N8N_RUNNERS_BROKER_PORT: String(brokerPort),
    EXECUTIONS_DATA_SAVE_ON_SUCCESS: 'all',
  };
}

function post(id: string) {
  const body = JSON.stringify(orderCreated(id));
  return { method: 'POST', path: PATH, headers: HEADERS, body, ids: [id] } as const;
}

/** Webhooks are there a moment after the server says that it is. */
async function untilPublished(origin: string): Promise<void> {
  const isThere = await until(
    () => call(`${origin}${PATH}`, { body: orderCreated('started-0') }),
    ({ ok }) => ok,
    { waitMs: 60_000, everyMs: 250 },
  );
  if (!isThere.ok) throw new Error('n8n did not publish the workflow');
}

/** What an execution was given is kept with it; an event's id stands in it in quotes. */
function isDone(log: DatabaseSync, { ids }: Round): boolean {
  const newest = log
    .prepare(`${SUCCEEDED} ORDER BY e.id DESC LIMIT ?`)
    .all(2 * LAST_OF_ROUND)
    .map(({ data }) => String(data));
  return ids.slice(-LAST_OF_ROUND).every((id) => newest.some((data) => data.includes(`"${id}"`)));
}

function succeeded(log: DatabaseSync, { name }: Round): string[] {
  const ofRound = new RegExp(`"(${name}-\\d+)"`);
  return log
    .prepare(`${SUCCEEDED} ORDER BY e.id`)
    .all()
    .flatMap(({ data }) => ofRound.exec(String(data))?.[1] ?? []);
}
