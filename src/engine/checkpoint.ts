/**
 * Checkpoints of the audit chain (https://c2sp.org/tlog-checkpoint): how many entries a tenant's
 * chain had, and the root of the Merkle tree over them, signed as a note. Whoever keeps one can show
 * that a chain was cut off or written anew. docs/audit-format.md
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { AuditKey } from '../contract/audit-keys.ts';
import { verifyConsistency } from './merkle-proof.ts';
import { isHash } from './sha256.ts';
import {
  fromBase64,
  type NoteKey,
  type NoteSigner,
  noteKeyId,
  signNote,
  toBase64,
  verifyNote,
} from './signed-note.ts';

export type Checkpoint = {
  /** Which log: `<key name>/<tenant id>`. */
  readonly origin: string;
  /** How many entries, from the first. */
  readonly size: number;
  /** The root of the tree over them, in hex. */
  readonly root: string;
};

const SIZE = /^(0|[1-9]\d{0,15})$/;
const ROOT_BYTES = 32;

/** The origin of a tenant's checkpoints: unique, because the key's name and the tenant's id are. */
export function originOf(keyName: string, tenantId: string): string {
  return `${keyName}/${tenantId}`;
}

/** The text that is signed. Throws RangeError for what parseCheckpoint would not give back. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  const isWhole = Number.isSafeInteger(size) && size >= 0;
  if (origin === '' || origin.includes('\n') || !isWhole || !isHash(root))
    throw new RangeError('a checkpoint has an origin of one line, a size and a root');
  return `${origin}\n${size}\n${toBase64(hexToBytes(root))}\n`;
}

/**
 * The checkpoint in a note's text; null when there is none. Lines after the third are extensions,
 * which are allowed and mean nothing here.
 */
export function parseCheckpoint(text: string): Checkpoint | null {
  if (!text.endsWith('\n')) return null;
  const lines = text.slice(0, -1).split('\n');
  const [origin, size, base64] = lines;
  if (origin === undefined || size === undefined || base64 === undefined) return null;
  const root = fromBase64(base64);
  if (lines.includes('') || !SIZE.test(size) || !Number.isSafeInteger(Number(size))) return null;
  if (root?.length !== ROOT_BYTES) return null;
  return { origin, size: Number(size), root: bytesToHex(root) };
}

/** What was signed last, and that the tree to be signed began as it: none needed from an empty tree. */
export type Signed = { readonly last: Checkpoint; readonly proof: readonly string[] };

/** Whether both may be signed by one log: the later tree began as the earlier one. */
export function isConsistent({ last, proof }: Signed, next: Checkpoint): boolean {
  if (last.origin !== next.origin || last.size > next.size) return false;
  if (last.size === 0) return next.size > 0 || next.root === last.root;
  const claim = { from: last.size, fromRoot: last.root, to: next.size, toRoot: next.root };
  return verifyConsistency(claim, proof);
}

/**
 * The checkpoint as a signed note. Throws Error, and signs nothing, when it contradicts the one that
 * was signed before it: a log that signs both has no history. @param before null for the first
 */
export async function signCheckpoint(
  next: Checkpoint,
  before: Signed | null,
  signers: readonly NoteSigner[],
): Promise<string> {
  if (before !== null && !isConsistent(before, next))
    throw new Error(`a checkpoint of ${next.size} entries contradicts that of ${before.last.size}`);
  return signNote(formatCheckpoint(next), signers);
}

export type CheckpointVerdict<Key extends NoteKey> =
  | { ok: true; checkpoint: Checkpoint; tenantId: string; by: readonly Key[] }
  | { ok: false; reason: string };

/** Opens a signed checkpoint: signed by one of the keys, with an origin that is under that key's name. */
export async function verifyCheckpoint<Key extends NoteKey>(
  note: string,
  keys: readonly Key[],
): Promise<CheckpointVerdict<Key>> {
  const verdict = await verifyNote(note, keys);
  if (!verdict.ok) return verdict;
  const checkpoint = parseCheckpoint(verdict.text);
  if (checkpoint === null) return { ok: false, reason: 'the note is not a checkpoint' };
  const by = verdict.by.filter(({ name }) => checkpoint.origin.startsWith(originOf(name, '')));
  const name = by[0]?.name;
  if (name === undefined)
    return { ok: false, reason: `${checkpoint.origin} is not a log of the key that signed it` };
  const tenantId = checkpoint.origin.slice(originOf(name, '').length);
  return { ok: true, checkpoint, tenantId, by };
}

/** A published key, ready to verify with. Times in RFC 3339, UTC; `until` null while it signs. */
export type PublishedKey = NoteKey & {
  readonly id: string;
  readonly from: string;
  readonly until: string | null;
};

/** Throws RangeError for a key whose id is not of its name and bytes. */
export function publishedKey({ name, id, publicKey, from, until }: AuditKey): PublishedKey {
  const bytes = fromBase64(publicKey);
  if (bytes?.length !== 32 || noteKeyId({ name, publicKey: bytes }) !== id)
    throw new RangeError(`the key ${name}+${id} is not what its id says`);
  return { name, id, publicKey: bytes, from, until: until ?? null };
}
