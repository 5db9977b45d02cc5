/**
 * A reporter for vitest: when no test file has ended for a while, it says which ones are at work, so
 * that who reads the output of a stuck run knows where to look.
 */
const QUIET_MS = 60_000;

export default class Running {
  /** @type {Map<string, string>} */
  #files = new Map();
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

  onTestRunEnd() {
    clearTimeout(this.#timer);
  }

  #say() {
    console.log(
      `No test file has ended for a minute. At work: ${[...this.#files.values()].join(', ')}`,
    );
  }
}
