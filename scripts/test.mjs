/**
 * `npm test`: installs what is missing, then every check, an audit of the dependencies and every test,
 * in sequence. What fails does not keep the rest from running. The last line counts the tests; the
 * exit code is non-zero when anything failed.
 */
import { CHECKS, failedChecks } from './checks.mjs';
import { runMain } from './support/complaint.mjs';
import { ensureConsole } from './support/console.mjs';
import { ensureInstalled } from './support/project.mjs';
import { runSuite } from './support/suite.mjs';

/** @type {import('./support/step.mjs').Step} */
const AUDIT = { name: 'known vulnerabilities', script: 'scripts/audit-dependencies.mjs', args: [] };
/**
 * One after the other: the started server's tests are about time. How many files at once: they wait
 * more than they work, so more than the one that vitest takes on two cores.
 * @type {readonly import('./support/suite.mjs').Suite[]}
 */
const SUITES = [
  { projects: ['unit', 'workers', 'sharded'], filesAtOnce: 3, parts: 3 },
  { projects: ['e2e'], filesAtOnce: 2, parts: 1 },
  { projects: ['browser'], filesAtOnce: 1, parts: 1 },
];

await runMain(async () => {
  await ensureInstalled();
  // The started servers would each build it, some at the same time.
  await ensureConsole();
  const failed = await failedChecks([...CHECKS, AUDIT]);
  let tests = { passed: 0, failed: 0 };
  for (const suite of SUITES) {
    const result = await runSuite(suite);
    failed.push(...result.failedParts);
    tests = { passed: tests.passed + result.passed, failed: tests.failed + result.failed };
  }
  if (failed.length > 0) console.log(`\nFailed: ${failed.join('; ')}`);
  console.log(`\n${tests.passed} passed, ${tests.failed} failed`);
  process.exitCode = failed.length > 0 ? 1 : 0;
});
