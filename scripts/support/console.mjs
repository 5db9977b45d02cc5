/**
 * The console's build (console/dist), which the Worker serves as its assets. Built when what it is made
 * of has changed since, told by a digest of it.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Complaint } from './complaint.mjs';
import { startGroup } from './group.mjs';
import { readLines } from './lines.mjs';
import { NODE, ROOT, tool } from './project.mjs';

const DIST = join(ROOT, 'console', 'dist');
const MARK = join(ROOT, '.wrangler', 'console.sha256');
const BUILT = ['dist', 'node_modules'];
/** The console takes types of the contract, and the verifier with what it is made of. */
const MADE_OF = ['console', 'src', 'package-lock.json'];

/**
 * Builds it unless this very one is there.
 * @throws {Complaint} when it does not build
 */
export async function ensureConsole() {
  const wanted = digestOfSources();
  const isThere = existsSync(join(DIST, 'index.html')) && existsSync(MARK);
  if (isThere && readFileSync(MARK, 'utf8') === wanted) return;
  console.log('Building the console…');
  await buildConsole(DIST);
  mkdirSync(join(ROOT, '.wrangler'), { recursive: true });
  writeFileSync(MARK, wanted);
}

/**
 * @param {string} outDir
 * @param {string} [api] the API's origin, when it is not where the console is
 * @throws {Complaint} when it does not build
 */
export async function buildConsole(outDir, api = '') {
  const args = [tool('vite/bin/vite.js'), 'build', 'console', '--outDir', outDir];
  const env = { ...process.env, SIGNALBOX_API: api, NODE_ENV: 'production' };
  const vite = startGroup(NODE, [...args, '--logLevel', 'warn'], { cwd: ROOT, env, piped: true });
  /** @type {string[]} */
  const lines = [];
  for (const stream of [vite.stdout, vite.stderr]) readLines(stream, (line) => lines.push(line));
  const { code } = await vite.ended;
  if (code !== 0) throw new Complaint(`${lines.join('\n')}\nThe console could not be built.`);
}

function digestOfSources() {
  const hash = createHash('sha256');
  for (const name of MADE_OF) addTo(hash, name);
  return hash.digest('hex');
}

/** @param {import('node:crypto').Hash} hash @param {string} name a path within the project */
function addTo(hash, name) {
  const path = join(ROOT, name);
  if (!statSync(path).isDirectory()) {
    hash.update(`${name}\0`).update(readFileSync(path));
    return;
  }
  for (const entry of readdirSync(path).sort())
    if (!BUILT.includes(entry)) addTo(hash, join(name, entry));
}
