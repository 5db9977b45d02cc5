/**
 * What the code is checked for besides its tests. `node scripts/checks.mjs` runs all of it
 * (`npm run check`), `… lint` or `… types` one part.
 */
import { pathToFileURL } from 'node:url';
import { runMain } from './support/complaint.mjs';
import { ensureInstalled, tool } from './support/project.mjs';
import { runStep } from './support/step.mjs';

const TSC = tool('typescript/bin/tsc');

/** @type {readonly import('./support/step.mjs').Step[]} */
export const CHECKS = [
  { name: 'lint', script: tool('@biomejs/biome/bin/biome'), args: ['check'] },
  { name: 'types: src', script: TSC, args: ['-p', 'tsconfig.json'] },
  { name: 'types: test/workers', script: TSC, args: ['-p', 'tsconfig.test.json'] },
  { name: 'types: console', script: TSC, args: ['-p', 'console'] },
  { name: 'types: test, scripts', script: TSC, args: ['-p', 'tsconfig.node.json'] },
  { name: 'unused code', script: tool('knip/bin/knip.js'), args: ['--no-progress'] },
];

/**
 * Runs them all; one that fails does not keep the rest from running.
 * @param {readonly import('./support/step.mjs').Step[]} checks
 * @returns {Promise<string[]>} the names of those that failed
 */
export async function failedChecks(checks) {
  const failed = [];
  for (const check of checks) if ((await runStep(check)) !== 'passed') failed.push(check.name);
  return failed;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await runMain(async () => {
    await ensureInstalled();
    const wanted = process.argv[2] ?? '';
    const failed = await failedChecks(CHECKS.filter(({ name }) => name.startsWith(wanted)));
    process.exitCode = failed.length === 0 ? 0 : 1;
  });
