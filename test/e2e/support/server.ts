/**
 * The product as a user starts it: scripts/start.mjs on a free port with a state directory of its
 * own, to be ended politely, or killed and started again over the same state.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, clientOf } from './client.ts';
import { killNow, living, treeOf } from './processes.ts';
import { until, within } from './wait.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const PLATFORM_TOKEN = 'e2e-platform-token-0123456789abcdef';
const START_TIMEOUT_MS = 180_000;

export interface Place {
  readonly port: number;
  readonly stateDir: string;
}

/** A start script that runs, whether or not it gets anywhere. */
export interface Start {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly stdout: string[];
  readonly stderr: string[];
  /** The exit code, null when a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** How tests call it. */
export interface Caller {
  readonly platform: Client;
  as(token: string): Client;
}

export interface Server extends Start, Place, Caller {
  readonly origin: string;
  /** Milliseconds from the command to the address being printed. */
  readonly startedInMs: number;
  /** The Worker's log lines so far. */
  log(): readonly string[];
  /** Ends it as Ctrl-C does, with all its children. Saying it twice is fine. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** SIGKILL to every process of it at once; resolves when none is left. */
  killAll(): Promise<void>;
}

export async function newPlace(): Promise<Place> {
  return { port: await freePort(), stateDir: mkdtempSync(join(tmpdir(), 'signalbox-e2e-')) };
}

export function removePlace({ stateDir }: Place): void {
  rmSync(stateDir, { recursive: true, force: true });
}

const DIRECTLY = [process.execPath, 'scripts/start.mjs'];
export const BY_SERVE = [process.execPath, 'scripts/serve.mjs'];
export const BY_NPM = ['npm', 'start', '--'];

type Settings = Readonly<Record<string, string>>;

/** Runs the start script; its environment is a plain user's, nothing of the test runner's. */
export function runStart(
  { port, stateDir }: Place,
  args: readonly string[],
  by = DIRECTLY,
  settings: Settings = {},
): Start {
  const { PATH = '', HOME = '' } = process.env;
  const [command = '', ...first] = by;
  const child = spawn(command, [...first, ...args], {
    cwd: ROOT,
    env: { PATH, HOME, PORT: String(port), STATE_DIR: stateDir, PLATFORM_TOKEN, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('the start script could not be run');
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, pid, stdout: linesOf(child.stdout), stderr: linesOf(child.stderr), ended };
}

/** Starts the product and waits for it. */
export async function startServer(
  place: Place,
  args = ['--no-demo'],
  by = DIRECTLY,
  settings: Settings = {},
): Promise<Server> {
  const begun = Date.now();
  const start = runStart(place, args, by, settings);
  await untilRunning(start);
  const startedInMs = Date.now() - begun;
  const origin = `http://127.0.0.1:${place.port}`;
  const as = (token: string) => clientOf(origin, token);
  return {
    ...start,
    ...place,
    origin,
    startedInMs,
    as,
    platform: as(PLATFORM_TOKEN),
    log: () => start.stdout.filter((line) => line.startsWith('{')),
    async stop(signal = 'SIGINT') {
      start.child.kill(signal);
      return await within(30_000, 'the server to end', start.ended);
    },
    async killAll() {
      const tree = treeOf(start.pid);
      killNow(tree);
      await start.ended;
      await until('every process to be gone', () => living(tree).length === 0, 10_000);
    },
  };
}

async function untilRunning(start: Start): Promise<void> {
  let code: number | null | undefined;
  void start.ended.then((ended) => {
    code = ended;
  });
  const said = () => [...start.stdout, ...start.stderr].join('\n');
  try {
    const ended = await until(
      'the server to start',
      () => code !== undefined || start.stdout.some((line) => line.includes('API docs')),
      START_TIMEOUT_MS,
    );
    if (ended && code !== undefined) throw new Error(`it ended with ${code}`);
  } catch (error) {
    killNow(treeOf(start.pid));
    throw new Error(`The server did not start. It said:\n${said()}`, { cause: error });
  }
}

function linesOf(stream: NodeJS.ReadableStream): string[] {
  const lines: string[] = [];
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  stream.on('end', () => {
    if (rest !== '') lines.push(rest);
  });
  return lines;
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
