/**
 * A file as an answer: whole, a range of it, or what is to be known of it (HEAD). It never changes
 * under its id, so the id is its strong ETag.
 */
import { type Refusal, refusal } from '../contract/problems.ts';
import type { ReadableExport } from '../ports/export-files.ts';
import { wantedRange } from './byte-range.ts';
import { toResponse } from './respond.ts';
import type { Answer, Served } from './route.ts';

export function noSuchFile(): Refusal {
  return refusal('not_found', 'There is no finished export of that id.');
}

/**
 * `admit` says why not; when something `leaves`, it has written that down. HEAD takes nothing out, and
 * a range means nothing to it (RFC 9110, 14.2).
 */
export async function download(
  { request, requestId }: Served,
  file: ReadableExport | null,
  admit: (leaves: boolean) => Promise<Refusal | { ok: true }>,
): Promise<Answer> {
  if (file === null) return noSuchFile();
  const { id, bytes } = file;
  const etag = `"${id}"`;
  const isHead = request.method === 'HEAD';
  const wanted = isHead ? 'whole' : wantedRange(request.headers, etag, bytes);
  const admitted = await admit(!isHead && wanted !== 'unsatisfiable');
  if (!admitted.ok) return admitted;
  if (isHead) return fileAnswer(await file.head(), null, etag, bytes);
  if (wanted === 'unsatisfiable') return beyondTheEnd(bytes, requestId);
  if (wanted === 'whole') {
    const object = await file.open();
    return fileAnswer(object, object?.body ?? null, etag, bytes);
  }
  const object = await file.open(wanted);
  const last = wanted.offset + wanted.length - 1;
  const range = `bytes ${wanted.offset}-${last}/${bytes}`;
  return fileAnswer(object, object?.body ?? null, etag, wanted.length, range);
}

function fileAnswer(
  object: R2Object | null,
  body: ReadableStream | null,
  etag: string,
  length: number,
  range?: string,
): Answer {
  if (object === null) return noSuchFile();
  const headers = new Headers({ 'accept-ranges': 'bytes', etag, 'content-length': String(length) });
  object.writeHttpMetadata(headers);
  if (range !== undefined) headers.set('content-range', range);
  return new Response(body, { status: range === undefined ? 200 : 206, headers });
}

function beyondTheEnd(bytes: number, requestId: string): Response {
  const refused = refusal('range_not_satisfiable', `The file has ${bytes} bytes.`);
  const response = toResponse(refused, requestId);
  response.headers.set('content-range', `bytes */${bytes}`);
  return response;
}
