/**
 * The lines of a stream of bytes, in chunks, in constant memory. UTF-8 is checked, never repaired: a
 * replacement character in place of a damaged byte could hide the damage.
 */
import { isUtf8 } from 'node:buffer';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Far above any entry; below it, a file without newlines would be read into memory whole. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** Where a line begins and ends. */
export type Bounds = readonly [from: number, to: number];

/** A line without its newline; null for one that is not UTF-8. */
export type Line = string | null;

/** Whole lines each, without the last newline. A line longer than any entry ends them all: as a NUL. */
export async function* chunksOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  for await (const bytes of stream) {
    const end = bytes.lastIndexOf(NEWLINE);
    rest.push(end === -1 ? bytes : bytes.subarray(0, end));
    restBytes += bytes.length;
    if (end !== -1) {
      yield Buffer.concat(rest);
      rest = [bytes.subarray(end + 1)];
      restBytes = bytes.length - end - 1;
    }
    if (restBytes > MAX_LINE_BYTES) return yield Buffer.alloc(1);
  }
  if (restBytes > 0) yield Buffer.concat(rest);
}

/** Of each line, without a carriage return. */
export function boundsOf(bytes: Buffer): Bounds[] {
  const bounds: Bounds[] = [];
  for (let begin = 0; begin <= bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, begin);
    const end = newline === -1 ? bytes.length : newline;
    const isWindows = end > begin && bytes[end - 1] === CARRIAGE_RETURN;
    bounds.push([begin, isWindows ? end - 1 : end]);
    begin = end + 1;
  }
  return bounds;
}

export function linesOf(bytes: Buffer): Line[] {
  const isWhole = isUtf8(bytes);
  return boundsOf(bytes).map(([from, to]) =>
    isWhole || isUtf8(bytes.subarray(from, to)) ? bytes.toString('utf8', from, to) : null,
  );
}
