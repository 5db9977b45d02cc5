/**
 * `npm test`: installs what is missing, then every check, an audit of the dependencies and every test,
 * in sequence. A check that fails does not keep the rest from running. The last line counts the tests;
 * the exit code is non-zero when anything failed.
 */
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKS } from './checks.mjs';
import { runMain } from './support/complaint.mjs';
import { ensureConsole } from './support/console.mjs';
import { ensureInstalled, tool } from './support/project.mjs';
import { runStep } from './support/step.mjs';

/** @type {import('./support/step.mjs').Step} */
const AUDIT = { name: 'known vulnerabilities', script: 'scripts/audit-dependencies.mjs', args: [] };
/**
 * One after the other: the started server's tests are about time. How many files at once: they wait
 * more than they work, so more than the one that vitest takes on two cores.
 */
const SUITES = [
  { projects: ['unit', 'workers', 'sharded'], atOnce: 3 },
  { projects: ['e2e'], atOnce: 2 },
  { projects: ['browser'], atOnce: 1 },
];

await runMain(async () => {
  await ensureInstalled();
  // The started servers would each build it, some at the same time.
  await ensureConsole();
  const failed = [];
  for (const check of [...CHECKS, AUDIT]) if (!runStep(check)) failed.push(check.name);
  let tests = { passed: 0, failed: 0 };
  for (const { projects, atOnce } of SUITES) {
    const suite = runSuite(projects, atOnce);
    if (!suite.ok) failed.push(`tests: ${projects.join(', ')}`);
    tests = { passed: tests.passed + suite.passed, failed: tests.failed + suite.failed };
  }
  if (failed.length > 0) console.log(`\nFailed: ${failed.join('; ')}`);
  console.log(`\n${tests.passed} passed, ${tests.failed} failed`);
  process.exitCode = failed.length > 0 ? 1 : 0;
});

/** @param {readonly string[]} projects of vitest.config.ts @param {number} atOnce */
function runSuite(projects, atOnce) {
  const report = join(tmpdir(), `signalbox-tests-${process.pid}.json`);
  const ok = runStep({
    name: `tests: ${projects.join(', ')}`,
    script: tool('vitest/vitest.mjs'),
    args: [
      'run',
      ...projects.flatMap((project) => ['--project', project]),
      `--maxWorkers=${atOnce}`,
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    ],
  });
  const counts = readReport(report);
  rmSync(report, { force: true });
  return { ok: ok && counts.failed === 0 && counts.passed > 0, ...counts };
}

/**
 * vitest's JSON report. A file that could not even be loaded has no tests in it: it counts as one
 * that failed, and so does a run without a report. @param {string} path
 */
function readReport(path) {
  try {
    /** @type {{ numPassedTests: number, numFailedTests: number, testResults: { status: string, assertionResults: object[] }[] }} */
    const report = JSON.parse(readFileSync(path, 'utf8'));
    const unloaded = report.testResults.filter(
      ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
    );
    return { passed: report.numPassedTests, failed: report.numFailedTests + unloaded.length };
  } catch {
    return { passed: 0, failed: 1 };
  }
}
