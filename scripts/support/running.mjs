/**
 * A reporter for vitest, for whoever reads the output of a run: when no test file has ended for a while,
 * it says which ones are at work; at the end, which tests passed at their second try only.
 */
const QUIET_MS = 60_000;

export default class Running {
  /** @type {Map<string, string>} */
  #files = new Map();
  /** @type {string[]} */
  #late = [];
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  onTestRunStart() {
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
