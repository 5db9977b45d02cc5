/**
 * Some of vitest's projects, in parts that follow each other. workerd, or what holds the tests to it,
 * gets stuck once in a long while; only the part in which it did is begun again, and once. What fails in
 * a part that ended stays failed.
 */
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tool } from './project.mjs';
import { ALL_ENDED } from './running.mjs';
import { runStep } from './step.mjs';

/** @typedef {{ projects: readonly string[], filesAtOnce: number, parts: number }} Suite of vitest.config.ts */
/** @typedef {{ passed: number, failed: number }} Counts */

/**
 * The longest file takes a quarter of it, and running.mjs says in between which ones are at work. After
 * the last one vitest has some workers to end, and its report to write.
 */
const SILENCE = { seconds: 240, lastWords: { text: ALL_ENDED, seconds: 45 } };

/** @param {Suite} suite @returns {Promise<Counts & { failedParts: string[] }>} */
export async function runSuite({ projects, filesAtOnce, parts }) {
  const result = { passed: 0, failed: 0, failedParts: /** @type {string[]} */ ([]) };
  for (let part = 1; part <= parts; part++) {
    const name = `tests: ${projects.join(', ')}${parts > 1 ? `, part ${part} of ${parts}` : ''}`;
    const args = [
      ...projects.flatMap((project) => ['--project', project]),
      ...[`--maxWorkers=${filesAtOnce}`, `--shard=${part}/${parts}`],
    ];
    const counts = await runPart(name, args);
    result.passed += counts.passed;
    result.failed += counts.failed;
    if (counts.failed > 0 || counts.passed === 0) result.failedParts.push(name);
  }
  return result;
}

/** @param {string} name @param {readonly string[]} args @returns {Promise<Counts>} */
async function runPart(name, args) {
  const report = join(tmpdir(), `signalbox-tests-${process.pid}.json`);
  const step = {
    name,
    script: tool('vitest/vitest.mjs'),
    args: [
      ...['run', ...args, '--reporter=default', '--reporter=./scripts/support/running.mjs'],
      ...['--reporter=json', `--outputFile.json=${report}`],
    ],
    silence: SILENCE,
  };
  let outcome = await runStep(step);
  if (outcome === 'stuck') outcome = await runStep({ ...step, name: `${name}, once more` });
  const counts = readReport(report);
  rmSync(report, { force: true });
  const unexplained = outcome !== 'passed' && counts.failed === 0;
  return unexplained ? { ...counts, failed: 1 } : counts;
}

/**
 * vitest's JSON report. A file that could not even be loaded has no tests in it: it counts as one
 * that failed, and so does a run without a report. @param {string} path @returns {Counts}
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
