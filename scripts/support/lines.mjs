/** Output by lines, and which of wrangler's lines are worth a person's time. */
import { createInterface } from 'node:readline';

/**
 * @param {NodeJS.ReadableStream | null} stream
 * @param {(line: string) => void} hear
 */
export function readLines(stream, hear) {
  if (stream !== null) createInterface({ input: stream, crlfDelay: Infinity }).on('line', hear);
}

/**
 * Tells which lines to show, one after another: the Worker's own JSON lines, and errors (of a build,
 * say) with what follows them, until wrangler is back to its chatter.
 * @returns {(line: string) => boolean}
 */
export function workerLines() {
  let inError = false;
  return (line) => {
    if (line.startsWith('{')) return true;
    if (/\[ERROR\]|\[wrangler:error\]/.test(line)) inError = true;
    else if (/^(⎔|▲|\[wrangler:)|\[WARNING\]/.test(line)) inError = false;
    return inError;
  };
}
