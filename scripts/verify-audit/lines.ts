/**
 * The lines of a stream of bytes, in batches, in constant memory. UTF-8 is checked, never repaired:
 * a replacement character in place of a damaged byte could hide the damage.
 */
import { isUtf8 } from 'node:buffer';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = '\r';
/** Far above any entry; below it, a file without newlines would be read into memory whole. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** A line without its newline; null for one that is not UTF-8 or is longer than any entry. */
export type Line = string | null;

/** The last line may lack its newline. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line[]> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(NEWLINE);
    rest.push(end === -1 ? chunk : chunk.subarray(0, end));
    restBytes += chunk.length;
    if (end !== -1) {
      yield split(Buffer.concat(rest));
      rest = [chunk.subarray(end + 1)];
      restBytes = chunk.length - end - 1;
    }
    if (restBytes > MAX_LINE_BYTES) return yield [null];
  }
  if (restBytes > 0) yield split(Buffer.concat(rest));
}

function split(bytes: Buffer): Line[] {
  if (isUtf8(bytes)) return bytes.toString('utf8').split('\n').map(withoutReturn);
  const lines: Line[] = [];
  for (let begin = 0; begin <= bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, begin);
    const end = newline === -1 ? bytes.length : newline;
    const line = bytes.subarray(begin, end);
    lines.push(isUtf8(line) ? withoutReturn(line.toString('utf8')) : null);
    begin = end + 1;
  }
  return lines;
}

function withoutReturn(line: string): string {
  return line.endsWith(CARRIAGE_RETURN) ? line.slice(0, -1) : line;
}
