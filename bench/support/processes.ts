/** The processes of a bench: started by the project's Node, held still between turns, ended with it. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { startGroup } from '../../scripts/support/group.mjs';
import type { LoadJob, LoadReport } from './load-job.ts';
import { cpuMsOf, signalTree } from './process-tree.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const STARTING_MS = 120_000;
const SAID_LAST = 2_000;

/** Runs a load in its own process. */
export async function runLoad(job: LoadJob): Promise<LoadReport> {
  const child = spawn(process.execPath, ['bench/load.ts'], {
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(job));
  return JSON.parse(await text(child.stdout));
}

export interface Running {
  /** What the pattern found in its first lines. */
  readonly found: RegExpExecArray;
  /** The last of what it said. */
  said(): string;
  /** CPU time so far, of all its processes or of those whose command is so, in milliseconds. */
  cpuMs(command?: RegExp): number;
  /** It gets no CPU until it may go on. */
  hold(): void;
  goOn(): void;
  stop(): Promise<void>;
}

interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Its complaints go where ours go. */
  readonly isHeard?: boolean;
}

/** Starts a script of the project and waits for a line of its output that the pattern finds. */
export async function startScript(
  args: readonly string[],
  ready: RegExp,
  env: NodeJS.ProcessEnv = {},
): Promise<Running> {
  const script = { command: process.execPath, args, cwd: ROOT, env, isHeard: true };
  return await startCommand(script, ready);
}

/** @throws Error with what it said, when it ends before it is ready, or never is */
export async function startCommand(
  { command, args, cwd, env, isHeard = false }: Command,
  ready: RegExp,
): Promise<Running> {
  const group = startGroup(command, args, { cwd, env: { ...process.env, ...env }, piped: true });
  let said = '';
  let isReady = false;
  const failed = (what: string) => new Error(`${args.join(' ')} ${what}:\n${said}`);
  const found = await new Promise<RegExpExecArray>((resolve, reject) => {
    const timer = setTimeout(() => reject(failed('did not start')), STARTING_MS);
    void group.ended.then(() => reject(failed('ended')));
    // Read on after the match: a full pipe would hold the process up.
    const listen = (stream: Readable | null) =>
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        said = (said + chunk).slice(-SAID_LAST);
        const match = isReady ? null : ready.exec(said);
        if (match === null) return;
        isReady = true;
        clearTimeout(timer);
        resolve(match);
      });
    listen(group.stdout);
    listen(group.stderr);
    if (isHeard) group.stderr?.pipe(process.stderr, { end: false });
  }).catch(async (error) => {
    await group.stop();
    throw error;
  });
  const goOn = () => signalTree(group.pid, 'SIGCONT');
  return {
    found,
    said: () => said,
    cpuMs: (command) => cpuMsOf(group.pid, command),
    hold: () => signalTree(group.pid, 'SIGSTOP'),
    goOn,
    async stop() {
      goOn();
      await group.stop();
    },
  };
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}

/** Several that make up one system. */
export function together(parts: readonly [Running, ...Running[]]): Running {
  return {
    found: parts[0].found,
    said: () => parts.map((part) => part.said()).join('\n'),
    cpuMs: (command) => parts.reduce((sum, part) => sum + part.cpuMs(command), 0),
    hold() {
      for (const part of parts) part.hold();
    },
    goOn() {
      for (const part of parts) part.goOn();
    },
    async stop() {
      await Promise.all(parts.map((part) => part.stop()));
    },
  };
}
