/**
 * Which part of a file a request asks for: RFC 9110, section 14. One range of bytes is served; a
 * request for several, or one that is not well formed, gets the whole, as the RFC allows. The length of
 * an empty file cannot be told in a range, so there the whole is served too.
 * https://www.rfc-editor.org/rfc/rfc9110#section-14
 */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

const ONE_RANGE = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;

/** @param etag a strong one: If-Range with anything else asks for the whole */
export function wantedRange(
  headers: Headers,
  etag: string,
  size: number,
): 'whole' | 'unsatisfiable' | ByteRange {
  const [, first, last] = ONE_RANGE.exec(headers.get('range') ?? '') ?? [];
  const known = headers.get('if-range');
  if (first === undefined || last === undefined || size === 0) return 'whole';
  if (known !== null && known.trim() !== etag) return 'whole';
  if (first === '') return last === '' ? 'whole' : suffix(Number(last), size);
  const begin = Number(first);
  const end = last === '' ? size - 1 : Number(last);
  if (end < begin && last !== '') return 'whole';
  if (begin >= size) return 'unsatisfiable';
  return { offset: begin, length: Math.min(end, size - 1) - begin + 1 };
}

function suffix(wanted: number, size: number): 'unsatisfiable' | ByteRange {
  if (wanted === 0) return 'unsatisfiable';
  const length = Math.min(wanted, size);
  return { offset: size - length, length };
}
