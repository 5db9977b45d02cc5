/**
 * Where the project is, and that its dependencies are there. Runs on any Node from 20 on, without
 * node_modules: only Node's own modules may be imported in scripts that `npm start` reaches.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Complaint } from './complaint.mjs';
import { startGroup } from './group.mjs';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The project's own Node, which the tools need: it is a dependency like any other. */
export const NODE = join(ROOT, 'node_modules', '.bin', 'node');

/** The script of an installed package. @param {string} path as in `vitest/vitest.mjs` */
export function tool(path) {
  return join(ROOT, 'node_modules', path);
}

/**
 * Installs exactly what package-lock.json says, unless that was done since it last changed.
 * @throws {Complaint} when npm fails
 */
export async function ensureInstalled() {
  if (isInstalled()) return;
  console.log('Installing dependencies (npm ci)…');
  const npm = process.env.npm_execpath;
  const args = ['ci', '--include=dev', '--no-fund', '--no-audit'];
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const { ended } = startGroup(command, [...first, ...args], { cwd: ROOT });
  const { code } = await ended;
  if (code === 0 && isInstalled()) return;
  throw new Complaint(
    'npm ci failed; what it said is above. It needs the npm registry once: check the network, or a ' +
      'proxy in ~/.npmrc, remove node_modules and start again.',
  );
}

/** npm writes its own copy of the lock file last of all, so an install that broke off has none. */
function isInstalled() {
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(installed) || !existsSync(NODE)) return false;
  return statSync(installed).mtimeMs >= statSync(join(ROOT, 'package-lock.json')).mtimeMs;
}
