/**
 * A reporter for vitest, for whoever reads the output of a run: when no test file has ended for a while,
 * it says which ones are at work; when all have, that nothing but vitest's own end is left; at the end,
 * which tests passed at their second try only.
 */
const QUIET_MS = 60_000;
/** suite.mjs listens for it: a pool that loses a worker's last message waits for it for ever. */
export const ALL_ENDED = 'All test files have ended.';

export default class Running {
  /** @type {Map<string, string>} */
  #files = new Map();
  /** @type {string[]} */
  #late = [];
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #left = 0;

  /** @param {readonly import('vitest/node').TestSpecification[]} files */
  onTestRunStart(files) {
    this.#left = files.length;
    this.#timer = setTimeout(() => this.#say(), QUIET_MS).unref();
  }

  /** @param {import('vitest/node').TestModule} file */
  onTestModuleQueued(file) {
    this.#files.set(file.id, `${file.project.name} ${file.relativeModuleId}`);
  }

  /** @param {import('vitest/node').TestModule} file */
  onTestModuleEnd(file) {
    this.#files.delete(file.id);
    this.#timer?.refresh();
    if (--this.#left === 0) console.log(ALL_ENDED);
  }

  /** @param {import('vitest/node').TestCase} test */
  onTestCaseResult(test) {
    if (test.diagnostic()?.flaky)
      this.#late.push(`${test.module.relativeModuleId}: ${test.fullName}`);
  }

  onTestRunEnd() {
    clearTimeout(this.#timer);
    for (const test of this.#late) console.log(`Passed at the second try: ${test}`);
  }

  #say() {
    console.log(
      `No test file has ended for a minute. At work: ${[...this.#files.values()].join(', ')}`,
    );
  }
}
