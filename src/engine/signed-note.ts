/**
 * Signed notes with Ed25519 (https://c2sp.org/signed-note, RFC 8032 by Web Crypto): a text that ends
 * in a newline, an empty line, and one line `— <key name> base64(key id || signature)` for each
 * signature. A note is worth nothing until verifyNote has named the keys that signed it.
 */
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { portableSha256 } from './sha256.ts';

/** A key to verify with. `publicKey`: the 32 bytes of RFC 8032. */
export type NoteKey = { readonly name: string; readonly publicKey: Uint8Array };
/** A key to sign with. `privateKey`: an Ed25519 CryptoKey that may sign. */
export type NoteSigner = NoteKey & { readonly privateKey: SigningKey };
/** A CryptoKey, by whichever of its names the platform's types have. */
type SigningKey = Parameters<typeof crypto.subtle.sign>[1];
export type NoteSignature = {
  readonly name: string;
  /** The key's id: 8 hex digits. */
  readonly id: string;
  readonly signature: Uint8Array;
};
export type Note = { readonly text: string; readonly signatures: readonly NoteSignature[] };

const ED25519 = { name: 'Ed25519' } as const;
const ED25519_TYPE = '01';
const KEY_ID_BYTES = 4;
/** As many as the reference implementation takes; 16 must be. */
const MAX_SIGNATURES = 100;
const KEY_NAME = /^[^\s\u0085+]+$/u;
/** ASCII control characters, of which a note may hold the newline alone. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the format is about exactly these
const CONTROL = /[\x00-\x09\x0b-\x1f]/;
const SIGNATURE_LINE = /^— ([^ ]+) ([^ ]+)$/u;

/** The first 4 bytes of SHA-256(name || 0x0A || 0x01 || public key), in hex. */
export function noteKeyId({ name, publicKey }: NoteKey): string {
  const named = bytesToHex(utf8ToBytes(`${name}\n`));
  const hash = portableSha256.ofHex(`${named}${ED25519_TYPE}${bytesToHex(publicKey)}`);
  return hash.slice(0, KEY_ID_BYTES * 2);
}

/** The note with a line for each signer, in their order. Throws RangeError for what no note can hold. */
export async function signNote(text: string, signers: readonly NoteSigner[]): Promise<string> {
  if (!isNoteText(text)) throw new RangeError('a note is text that ends in a newline');
  if (!signers.every(({ name }) => KEY_NAME.test(name)))
    throw new RangeError('a key name has no spaces and no +');
  const lines = await Promise.all(signers.map((signer) => signatureLine(text, signer)));
  return `${text}\n${lines.join('')}`;
}

async function signatureLine(text: string, signer: NoteSigner): Promise<string> {
  const message = new TextEncoder().encode(text);
  const signature = await crypto.subtle.sign(ED25519, signer.privateKey, message);
  const blob = concatBytes(hexToBytes(noteKeyId(signer)), new Uint8Array(signature));
  return `— ${signer.name} ${toBase64(blob)}\n`;
}

/** The parts of a note, nothing of them verified; null when it is not one. */
export function parseNote(note: string): Note | null {
  const end = note.lastIndexOf('\n\n');
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2).split('\n');
  // The last signature's newline leaves an empty text behind it.
  if (end < 0 || !isNoteText(text) || CONTROL.test(note) || lines.pop() !== '') return null;
  if (lines.length === 0 || lines.length > MAX_SIGNATURES) return null;
  const signatures = lines.map(parseSignature).filter((signature) => signature !== null);
  return signatures.length === lines.length ? { text, signatures } : null;
}

function parseSignature(line: string): NoteSignature | null {
  const [, name = '', base64 = ''] = SIGNATURE_LINE.exec(line) ?? [];
  const blob = fromBase64(base64);
  if (!KEY_NAME.test(name) || blob === null || blob.length <= KEY_ID_BYTES) return null;
  const id = bytesToHex(blob.subarray(0, KEY_ID_BYTES));
  return { name, id, signature: blob.subarray(KEY_ID_BYTES) };
}

export type NoteVerdict<Key extends NoteKey> =
  | { ok: true; text: string; by: readonly Key[] }
  | { ok: false; reason: string };

/**
 * Which of the keys signed the note: at least one, in the order of the lines. Signatures of other
 * keys are passed over, as the format demands; one of these keys that does not verify spoils all.
 */
export async function verifyNote<Key extends NoteKey>(
  note: string,
  keys: readonly Key[],
): Promise<NoteVerdict<Key>> {
  const parsed = parseNote(note);
  if (parsed === null) return { ok: false, reason: 'it is not a signed note' };
  const message = new TextEncoder().encode(parsed.text);
  const by = new Set<Key>();
  for (const { name, id, signature } of parsed.signatures) {
    const key = keys.find((known) => known.name === name && noteKeyId(known) === id);
    if (key === undefined) continue;
    if (!(await verifyEd25519(key.publicKey, signature, message)))
      return { ok: false, reason: `the signature of ${name}+${id} is not of this text` };
    by.add(key);
  }
  if (by.size === 0) return { ok: false, reason: 'none of the known keys has signed it' };
  return { ok: true, text: parsed.text, by: [...by] };
}

/** Whether it is the key's signature of the message. A key or signature of a wrong size: false. */
export async function verifyEd25519(
  publicKey: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  try {
    // Copies: a browser's types take no bytes that another thread may share.
    const raw = Uint8Array.from(publicKey);
    const key = await crypto.subtle.importKey('raw', raw, ED25519, false, ['verify']);
    const [signed, said] = [Uint8Array.from(signature), Uint8Array.from(message)];
    return await crypto.subtle.verify(ED25519, key, signed, said);
  } catch {
    return false;
  }
}

function isNoteText(text: string): boolean {
  return text.endsWith('\n') && !CONTROL.test(text) && text.isWellFormed();
}

/** Standard base64 with padding (RFC 4648, section 4). */
export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** The bytes; null for anything but the one way to write them, where atob is more lenient. */
export function fromBase64(text: string): Uint8Array | null {
  try {
    const binary = atob(text);
    return btoa(binary) === text ? Uint8Array.from(binary, (char) => char.charCodeAt(0)) : null;
  } catch {
    return null;
  }
}
