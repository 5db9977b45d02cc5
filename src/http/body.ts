/** Request bodies: how much is read, and what counts as JSON. Whatever fails, nothing of it is taken. */
import type { Json } from '../contract/json.ts';
import { type Refusal, refusal } from '../contract/problems.ts';

export const BODY_BYTES_MAX = 1_048_576;
export const JSON_DEPTH_MAX = 32;

/** The raw bytes, counted as they come: a Content-Length may lie. */
export async function readBytes(request: Request): Promise<Uint8Array | Refusal> {
  const tooLarge = refusal('payload_too_large', `A body is at most ${BODY_BYTES_MAX} bytes.`);
  if (Number(request.headers.get('content-length') ?? 0) > BODY_BYTES_MAX) return tooLarge;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > BODY_BYTES_MAX) return tooLarge;
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
    ? await readBytes(request)
    : refusal('unsupported_media_type', 'Send content-type: application/json.');
}

/** UTF-8 JSON (RFC 8259), at most 32 levels deep, of text that can be stored and hashed as it is. */
export function parseJson(
  bytes: Uint8Array,
  parse: (text: string) => Json = JSON.parse,
): { ok: true; value: Json } | Refusal {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return refusal('malformed_json', 'The body is not UTF-8.');
  }
  if (text.trim() === '') return refusal('malformed_json', 'The body is empty.');
  if (depthOf(text) > JSON_DEPTH_MAX)
    return refusal('malformed_json', `JSON may be ${JSON_DEPTH_MAX} levels deep at most.`);
  try {
    const value = parse(text);
    const unfit = unfitText(value);
    return unfit === null ? { ok: true, value } : refusal('malformed_json', unfit);
  } catch (error) {
    const at =
      error instanceof SyntaxError ? (/position \d+/.exec(error.message)?.[0] ?? null) : null;
    return refusal('malformed_json', `The body is not JSON${at === null ? '' : ` (at ${at})`}.`);
  }
}

/** How deep brackets nest outside strings: known before anything recursive touches the text. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (inString) {
      if (char === 0x5c) at += 1;
      else if (char === 0x22) inString = false;
    } else if (char === 0x22) inString = true;
    else if (char === 0x7b || char === 0x5b) {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (char === 0x7d || char === 0x5d) depth -= 1;
  }
  return deepest;
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
