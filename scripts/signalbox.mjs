#!/usr/bin/env node
/**
 * The command line: `npx signalbox audit verify FILE`, `npx signalbox keys rotate`. It runs the
 * project's own TypeScript, which needs its Node; started by an older one, it starts itself again.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Complaint, runMain } from './support/complaint.mjs';
import { NODE } from './support/project.mjs';

/** From this one on, Node strips the types of TypeScript without being asked. */
const FIRST_NODE_WITH_TYPES = 24;

await runMain(async () => {
  const args = process.argv.slice(2);
  const major = Number(process.versions.node.split('.')[0]);
  process.exitCode = major < FIRST_NODE_WITH_TYPES ? againWithOurNode(args) : await run(args);
});

/** @param {string[]} args @returns {Promise<number>} the exit code */
async function run([topic, verb, ...args]) {
  const audit = await import('./verify-audit/command.ts');
  const keys = await import('./rotate-keys/command.ts');
  if (topic === 'audit' && verb === 'verify') return audit.verifyCommand(args);
  if (topic === 'keys' && verb === 'rotate') return keys.rotateCommand(args);
  console.error(`${audit.USAGE}\n\n${keys.USAGE}`);
  return 2;
}

/** @param {string[]} args @returns {number} the exit code; 1 when a signal ended it */
function againWithOurNode(args) {
  if (!existsSync(NODE)) throw new Complaint('The dependencies are not installed. Run: npm ci');
  const self = fileURLToPath(import.meta.url);
  return spawnSync(NODE, [self, ...args], { stdio: 'inherit' }).status ?? 1;
}
