/**
 * Asks the npm registry for known vulnerabilities of what is deployed, by package-lock.json. One that is
 * high or critical fails; where no answer is to be had (no network, a mirror that has no advisories),
 * that is said and nothing fails.
 */
import { spawnSync } from 'node:child_process';
import { ROOT } from './support/project.mjs';

const PATIENCE_MS = 60_000;
const FAILING = ['high', 'critical'];

/** @typedef {{ name: string, severity: string }} Vulnerability */

const vulnerabilities = readReport(askRegistry());
if (vulnerabilities === null) console.log('Not audited: the registry gives no advisories here.');
else {
  for (const { name, severity } of vulnerabilities) console.log(`${severity}: ${name}`);
  const failing = vulnerabilities.filter(({ severity }) => FAILING.includes(severity));
  console.log(`${vulnerabilities.length} known vulnerabilities, ${failing.length} of them high.`);
  process.exitCode = failing.length === 0 ? 0 : 1;
}

function askRegistry() {
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const args = [...first, 'audit', '--omit=dev', '--json'];
  return spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', timeout: PATIENCE_MS }).stdout;
}

/**
 * npm's report (`auditReportVersion` 2); null for anything else, such as an error.
 * @param {string} text
 * @returns {Vulnerability[] | null}
 */
function readReport(text) {
  try {
    /** @type {{ vulnerabilities?: Record<string, Vulnerability> }} */
    const report = JSON.parse(text);
    return report.vulnerabilities === undefined ? null : Object.values(report.vulnerabilities);
  } catch {
    return null;
  }
}
