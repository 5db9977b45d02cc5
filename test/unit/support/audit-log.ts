/** A tenant's audit log with what vouches for it: entries, keys, signed checkpoints. */
import type { AuditEntry } from '../../../src/contract/audit.ts';
import type { AuditKey } from '../../../src/contract/audit-keys.ts';
import { isJsonObject, type JsonObject } from '../../../src/contract/json.ts';
import { ERASED, withParts, withPrivate } from '../../../src/engine/audit-parts.ts';
import { genesisHash, link } from '../../../src/engine/chain.ts';
import { type Checkpoint, originOf, signCheckpoint } from '../../../src/engine/checkpoint.ts';
import { leafHash, rootOf } from '../../../src/engine/merkle.ts';
import { type NoteSigner, noteKeyId, toBase64 } from '../../../src/engine/signed-note.ts';

const START = Date.parse('2026-03-01T12:00:00.000Z');

/** One entry a minute. @param word what tells this history from another one of the same tenant */
export function auditLog(length: number, tenantId = 'acme', word = 'first'): AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (let seq = 1; seq <= length; seq += 1) {
    const told = {
      seq,
      id: `aud_${seq}`,
      at: timeOf(seq),
      actor: {
        type: 'api_key' as const,
        id: 'key_1',
        name: seq % 2 === 0 ? 'Größe ✓' : 'Ops\u001f',
      },
      action: seq === 1 ? 'tenant.created' : 'workflow.enabled',
      target: seq === 1 ? { type: 'tenant', id: tenantId } : { type: 'workflow', id: 'wf_1' },
      requestId: `req-${seq}`,
      data: { version: seq, word, ...MORE[seq % MORE.length] },
      prevHash: entries.at(-1)?.hash ?? genesisHash(tenantId),
    };
    const paths = PRIVATE.filter((path) => path === 'actor.name' || path.slice(5) in told.data);
    const salt = seq.toString(16).padStart(32, '0');
    const entry = link(seq === 1 ? told : withPrivate(told, paths, () => salt));
    entries.push(seq % MORE.length === 3 ? withErased(entry, 'data.comment') : entry);
  }
  return entries;
}

/** All that entries are made of, and what only the slow way of the verifier reads. */
const MORE: readonly JsonObject[] = [
  {
    comment: 'photo seen',
    rule: { roles: ['approver'], members: [], escalateTo: null, edit: true },
  },
  {
    comment: 'a "quote", a \\ and a line\nmore – ✓',
    changes: [{ path: 'a', before: 1, after: {} }],
  },
  { path: ['wf_1', 'wf_2'], empty: {}, 'order.refund': { approvals: 2, amount: 50_000 } },
  { comment: 'I know Carla', until: '2026-03-01T12:00:00.000Z' },
  { ratio: 0.25, below: -1, Schlüssel: 'x' },
];
const PRIVATE = ['actor.name', 'data.comment', 'data.changes', 'data.word'];

/** The entry after an erasure of one of its private parts. */
export function withErased(entry: AuditEntry, path: string): AuditEntry {
  const { actor, data } = entry;
  const shown = withParts({ actor: { ...actor }, data }, new Map([[path, ERASED]]));
  const digest = entry.private?.[path]?.digest ?? '';
  return {
    ...entry,
    actor: path === 'actor.name' ? { ...actor, name: ERASED } : actor,
    data: isJsonObject(shown.data) ? shown.data : data,
    private: { ...entry.private, [path]: { digest } },
  };
}

/** When entry `seq` says it was written. */
export function timeOf(seq: number): string {
  return new Date(START + seq * 60_000).toISOString();
}

/** The checkpoint over the log's first `size` entries. */
export function checkpointOf(
  log: readonly AuditEntry[],
  size = log.length,
  tenantId = 'acme',
): Checkpoint {
  const leaves = log.slice(0, size).map(({ hash }) => leafHash(hash));
  return { origin: originOf('signalbox', tenantId), size, root: rootOf(leaves) };
}

/** The same, signed. */
export function signedCheckpoint(
  log: readonly AuditEntry[],
  signer: NoteSigner,
  size = log.length,
  tenantId = 'acme',
): Promise<string> {
  return signCheckpoint(checkpointOf(log, size, tenantId), null, [signer]);
}

export async function newSigner(name = 'signalbox'): Promise<NoteSigner> {
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  if (!('privateKey' in pair)) throw new Error('Ed25519 makes pairs');
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  return { name, publicKey, privateKey: pair.privateKey };
}

/** A key as it is published. */
export function published(signer: NoteSigner, until?: string): AuditKey {
  const key = {
    name: signer.name,
    id: noteKeyId(signer),
    algorithm: 'Ed25519' as const,
    publicKey: toBase64(signer.publicKey),
    from: '2026-01-01T00:00:00.000Z',
  };
  return until === undefined ? key : { ...key, until };
}
