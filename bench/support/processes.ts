/** The processes of a bench: started by the project's Node, ended with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { LoadJob, LoadReport } from './load-job.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const STARTING_MS = 60_000;

/** Runs a load in its own process. */
export async function runLoad(job: LoadJob): Promise<LoadReport> {
  const child = spawn(process.execPath, ['bench/load.ts'], {
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(job));
  return JSON.parse(await text(child.stdout));
}

/** Starts a script and waits for a line of its output that the pattern finds. */
export async function startScript(
  args: readonly string[],
  ready: RegExp,
  env: NodeJS.ProcessEnv = {},
): Promise<{ found: RegExpExecArray; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const found = await firstMatch(child, args.join(' '), ready);
  return {
    found,
    async stop() {
      if (child.exitCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function firstMatch(child: ChildProcess, name: string, ready: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let said = '';
    let isFound = false;
    const timer = setTimeout(() => reject(new Error(`${name} did not start`)), STARTING_MS);
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}: ${said}`)));
    // Read on after the match: a full pipe would hold the process up.
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      if (isFound) return;
      said += chunk;
      const found = ready.exec(said);
      if (found === null) return;
      isFound = true;
      clearTimeout(timer);
      resolve(found);
    });
  });
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
