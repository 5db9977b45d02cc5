/**
 * Peers come from npm when they are first measured, into a cache beside the project: none of them is a
 * dependency of it. Each has its own package.json and lock file under bench/peers.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { startGroup } from '../../scripts/support/group.mjs';
import { ROOT } from '../support/processes.ts';

const CACHE = process.env.BENCH_CACHE ?? join(homedir(), '.cache', 'signalbox-bench');
const SAID_LAST = 400;

/** @returns the folder that it is installed in @throws Error with what npm said */
export async function installPeer(name: string): Promise<string> {
  const source = join(ROOT, 'bench', 'peers', name);
  const lock = readFileSync(join(source, 'package-lock.json'));
  const dir = join(
    CACHE,
    `${name}-${createHash('sha256').update(lock).digest('hex').slice(0, 12)}`,
  );
  mkdirSync(dir, { recursive: true });
  cpSync(source, dir, { recursive: true });
  const mark = join(dir, 'installed');
  if (existsSync(mark)) return dir;
  console.log(`Installing ${name} into ${dir} (once; it can take minutes)…`);
  // Scripts of hundreds of packages stay out; the peer's own `build` says which it cannot do without.
  await npm(dir, ['ci', '--ignore-scripts', '--no-fund', '--no-audit']);
  await npm(dir, ['run', 'build', '--if-present']);
  writeFileSync(mark, '');
  return dir;
}

async function npm(cwd: string, args: readonly string[]): Promise<void> {
  const group = startGroup('npm', args, { cwd, piped: true });
  let said = '';
  for (const stream of [group.stdout, group.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      said = (said + chunk).slice(-SAID_LAST);
    });
  const { code } = await group.ended;
  if (code !== 0) throw new Error(`npm ${args[0]} failed: ${said.trim()}`);
}
