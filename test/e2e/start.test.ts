/** `npm start` as a person meets it: it says what is wrong, starts fast again, and leaves nothing. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { databaseFile } from './support/database.ts';
import { killNow, living, treeOf } from './support/processes.ts';
import {
  BY_NPM,
  newPlace,
  type Place,
  removePlace,
  runStart,
  startServer,
} from './support/server.ts';
import { until, within } from './support/wait.ts';

const names = z.object({ items: z.array(z.object({ name: z.string(), enabled: z.boolean() })) });
const demoFile = z.object({
  admin: z.string(),
  approver: z.string(),
  viewer: z.string(),
  ingest: z.string(),
  frontend: z.string(),
});

let place: Place;
const started: number[] = [];

beforeEach(async () => {
  place = await newPlace();
});
afterEach(() => {
  killNow(living(started.splice(0)));
  removePlace(place);
});

/** As if nothing had been applied yet, though all that it would make is there. */
function forgetMigrations({ stateDir }: Place): void {
  const database = new DatabaseSync(databaseFile(stateDir));
  database.exec('DELETE FROM d1_migrations');
  database.close();
}

async function start(args?: string[], by?: string[]) {
  const server = await startServer(place, args, by);
  started.push(...treeOf(server.pid));
  return server;
}

describe('a start that cannot be', () => {
  it('says in one line that the port is taken, and has started nothing', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(place.port, '127.0.0.1', resolve));
    rmSync(place.stateDir, { recursive: true });
    const { ended, stdout, stderr } = runStart(place, []);
    expect(await within(20_000, 'the start to give up', ended)).toBe(1);
    expect([...stdout, ...stderr]).toEqual([
      expect.stringContaining(`Port ${place.port} is taken.`),
    ]);
    expect(existsSync(place.stateDir)).toBe(false);
    await new Promise((resolve) => other.close(resolve));
  });

  it('says in one line that another one runs on the same state', async () => {
    const first = await start();
    const next = await newPlace();
    const second = runStart({ port: next.port, stateDir: place.stateDir }, []);
    expect(await within(20_000, 'the start to give up', second.ended)).toBe(1);
    expect(second.stderr).toEqual([expect.stringContaining(`Process ${first.pid} is running on`)]);
    removePlace(next);
    expect(await first.stop()).toBe(0);
  });

  it('says what its settings may be', async () => {
    const { ended, stderr } = runStart(place, ['--demo']);
    expect(await within(20_000, 'the start to give up', ended)).toBe(1);
    expect(stderr.join('\n')).toContain('npm start [-- --no-demo]');
  });
});

describe('the database', () => {
  it('is left alone where all was applied, and what cannot be applied is named', async () => {
    await (await start()).stop();
    const mark = join(place.stateDir, 'data', 'migrations.sha256');
    rmSync(mark);
    const again = await start();
    expect(again.stdout).toContain('Preparing the database…');
    await again.stop();

    forgetMigrations(place);
    rmSync(mark);
    const { pid, ended, stderr } = runStart(place, []);
    started.push(pid);
    expect(await within(20_000, 'the start to give up', ended)).toBe(1);
    expect(stderr).toEqual([
      expect.stringMatching(/^0000_\w+\.sql failed on DB: .*already exists/),
      'The database migrations failed; see above.',
    ]);
    expect(existsSync(mark)).toBe(false);
  });
});

describe('a demo', () => {
  it('is made once: the second start is quick and shows the same keys', async () => {
    const first = await start([]);
    const keys = demoFile.parse(
      JSON.parse(readFileSync(join(place.stateDir, 'demo.json'), 'utf8')),
    );
    const shown = (lines: readonly string[]) =>
      Object.values(keys).every((key) => lines.some((line) => line.includes(key)));
    await until('the keys to be shown', () => shown(first.stdout), 10_000);
    expect(await first.stop('SIGTERM')).toBe(0);

    const second = await start([]);
    await until('the keys to be shown again', () => shown(second.stdout), 10_000);
    console.log(`first start ${first.startedInMs} ms, second start ${second.startedInMs} ms`);
    const workflows = await second.as(keys.viewer).get('/api/admin/workflows', names);
    expect(workflows.items.map(({ name }) => name).toSorted()).toEqual([
      'Kill switch',
      'Large orders',
      'Refunded orders',
      'Refunds over 500.00 wait for a human',
    ]);
    expect(workflows.items.every(({ enabled }) => enabled)).toBe(true);
    expect(await second.stop()).toBe(0);
  });

  it('keeps its secrets from others: in its files, in the process list and in what it prints', async () => {
    const server = await start([]);
    const secrets = readFileSync(join(place.stateDir, 'secrets.env'), 'utf8');
    for (const name of ['secrets.env', 'demo.json'])
      expect(statSync(join(place.stateDir, name)).mode & 0o777).toBe(0o600);
    const values = secrets.match(/(?<==).+/g) ?? [];
    expect(secrets.match(/^\w+(?==)/gm)).toEqual([
      'PLATFORM_TOKEN',
      'KEY_SECRET',
      'SEAL_KEY',
      'AUDIT_KEY',
    ]);
    const printed = [...server.stdout, ...server.stderr].join('\n');
    const commandLines = existsSync('/proc/self/cmdline')
      ? treeOf(server.pid).map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
      : [];
    for (const value of values) {
      expect(printed).not.toContain(value);
      for (const line of commandLines) expect(line).not.toContain(value);
    }
    expect(readdirSync(place.stateDir).toSorted()).toEqual(
      expect.arrayContaining(['data', 'demo.json', 'secrets.env']),
    );
    await server.stop();
  });
});

describe('an end', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('by %s leaves no process', async (signal) => {
    const server = await start();
    const tree = treeOf(server.pid);
    expect(tree.length).toBeGreaterThan(2);
    expect(await server.stop(signal)).toBe(0);
    await until('every process to be gone', () => living(tree).length === 0, 10_000);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('of npm by %s leaves no process', async (signal) => {
    const npm = await start(undefined, BY_NPM);
    const tree = treeOf(npm.pid);
    process.kill(npm.pid, signal);
    await until('every process to be gone', () => living(tree).length === 0, 15_000);
  });

  it('by kill -9 of the start script alone leaves no process either', async () => {
    const server = await start();
    const tree = treeOf(server.pid);
    killNow([server.pid]);
    await until('every process to be gone', () => living(tree).length === 0, 15_000);
  });

  it('of the Worker alone ends the rest, with its last words and exit code 1', async () => {
    const server = await start();
    const tree = treeOf(server.pid);
    const [, , wrangler = 0] = tree;
    killNow([wrangler]);
    expect(await within(20_000, 'the start script to end', server.ended)).toBe(1);
    expect(server.stderr.join('\n')).toContain('The Worker ended unexpectedly');
    await until('every process to be gone', () => living(tree).length === 0, 10_000);
  });
});
