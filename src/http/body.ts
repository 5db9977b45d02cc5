/** Request bodies: how much is read, and what counts as JSON. Whatever fails, nothing of it is taken. */
import type { Json } from '../contract/json.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import { countFields, numberLost, shapeOf } from './json-text.ts';

export const BODY_BYTES_MAX = 1_048_576;
export const JSON_DEPTH_MAX = 32;

const TOO_LARGE = refusal('payload_too_large', `A body is at most ${BODY_BYTES_MAX} bytes.`);
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/**
 * The raw bytes. HTTP cuts a body off where its Content-Length says that it ends, so what is said to fit
 * is read at once; without one they are counted as they come.
 */
export async function readBytes(request: Request): Promise<Uint8Array | Refusal> {
  const length = request.headers.get('content-length');
  if (length === null) return await readChunks(request);
  if (Number(length) > BODY_BYTES_MAX) return TOO_LARGE;
  const bytes = new Uint8Array(await request.arrayBuffer());
  return bytes.byteLength > BODY_BYTES_MAX ? TOO_LARGE : bytes;
}

async function readChunks(request: Request): Promise<Uint8Array | Refusal> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > BODY_BYTES_MAX) return TOO_LARGE;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/** The raw bytes of a request that says that it is JSON. */
export async function readJsonBytes(request: Request): Promise<Uint8Array | Refusal> {
  const type = request.headers.get('content-type') ?? '';
  return /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type)
    ? (encodedBody(request) ?? (await readBytes(request)))
    : refusal('unsupported_media_type', 'Send content-type: application/json.');
}

/** A refusal where a body says that it is zipped or the like, which nothing here undoes. */
export function encodedBody({ headers }: Request): Refusal | null {
  const encoding = headers.get('content-encoding') ?? 'identity';
  return encoding.toLowerCase() === 'identity'
    ? null
    : refusal('unsupported_media_type', 'Send the body as it is, without content-encoding.');
}

/**
 * UTF-8 JSON (RFC 8259), at most 32 levels deep, whose value can be stored, hashed and given back as it
 * was written.
 *
 * @param lossless reads numbers that a double cannot hold; without it they are refused
 */
export function parseJson(
  bytes: Uint8Array,
  lossless?: (text: string) => Json,
): { ok: true; value: Json } | Refusal {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return refusal('malformed_json', 'The body is not UTF-8.');
  }
  if (text.trim() === '') return refusal('malformed_json', 'The body is empty.');
  const { depth, fields, hasWideNumber } = shapeOf(text);
  if (depth > JSON_DEPTH_MAX)
    return refusal('malformed_json', `JSON may be ${JSON_DEPTH_MAX} levels deep at most.`);
  try {
    const value: Json = lossless === undefined ? JSON.parse(text) : lossless(text);
    const unfit = unfitText(value) ?? (countFields(value) < fields ? TWICE : null);
    const lost = lossless === undefined && hasWideNumber ? numberLost(text) : null;
    const wrong = unfit ?? (lost === null ? null : tooWide(lost));
    return wrong === null ? { ok: true, value } : refusal('malformed_json', wrong);
  } catch (error) {
    const at =
      error instanceof SyntaxError ? (/position \d+/.exec(error.message)?.[0] ?? null) : null;
    return refusal('malformed_json', `The body is not JSON${at === null ? '' : ` (at ${at})`}.`);
  }
}

const TWICE = 'A field is given twice in one object, so it is not clear which one counts.';

function tooWide(number: string): string {
  const shown = number.length > 24 ? `${number.slice(0, 20)}…` : number;
  return `The number ${shown} would lose digits on the way: send it as a string.`;
}

/**
 * Text that would not come back as it was: unpaired surrogates have no UTF-8, SQLite ends text at
 * NUL, and a field named `__proto__` means something else to careless readers.
 */
function unfitText(value: Json): string | null {
  const plain = JSON.stringify(value);
  if (!/\\u(d[89a-f]|0000)|__proto__/.test(plain)) return null;
  const unfit = findText(value, (text) => !text.isWellFormed() || text.includes('\0'));
  if (unfit) return 'Text must not hold unpaired surrogates or U+0000.';
  return findKey(value, '__proto__') ? 'A field must not be named __proto__.' : null;
}

function findText(value: Json, isUnfit: (text: string) => boolean): boolean {
  if (typeof value === 'string') return isUnfit(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => isUnfit(key) || findText(inner, isUnfit));
}

function findKey(value: Json, wanted: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => key === wanted || findKey(inner, wanted));
}
