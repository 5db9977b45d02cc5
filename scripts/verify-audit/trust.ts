/**
 * What the verifier is told to trust: a file of published keys, and checkpoints that those keys
 * signed. Nothing in the log itself can add to it.
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { auditKeys } from '../../src/contract/audit-keys.ts';
import { type PublishedKey, publishedKey, verifyCheckpoint } from '../../src/engine/checkpoint.ts';
import type { TrustedCheckpoint } from './watch.ts';

/** A file that cannot be read, or is not what it was given as: asked wrongly, so exit code 2. */
export class BadRequest extends Error {}

/** The keys of a file in the form of /.well-known/signalbox-audit-keys.json. Throws BadRequest. */
export async function readKeys(file: string): Promise<PublishedKey[]> {
  const text = await readText(file);
  try {
    return auditKeys.parse(JSON.parse(text)).keys.map(publishedKey);
  } catch (error) {
    throw new BadRequest(`${file} holds no audit keys: ${messageOf(error)}`);
  }
}

export type Trusted = TrustedCheckpoint & { tenantId: string };

/** A checkpoint that one of the keys signed, or the reason to call it forged. Throws BadRequest. */
export async function readCheckpoint(
  file: string,
  keys: readonly PublishedKey[],
): Promise<Trusted | string> {
  const label = `checkpoint ${basename(file)}`;
  const verdict = await verifyCheckpoint(await readText(file), keys);
  if (!verdict.ok) return `${label} is not to be trusted: ${verdict.reason}`;
  const { checkpoint, tenantId, by } = verdict;
  return { label, checkpoint, tenantId, until: lastUse(by) };
}

/** When the last of the keys was retired; null when one of them is in use. */
function lastUse(keys: readonly PublishedKey[]): string | null {
  const ends = keys.map(({ until }) => until).toSorted();
  return ends.includes(null) ? null : (ends.at(-1) ?? null);
}

async function readText(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(file));
  } catch (error) {
    throw new BadRequest(`${file} cannot be read: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
