/**
 * Signs the head of a tenant's audit chain (https://c2sp.org/tlog-checkpoint). A log must never sign
 * two checkpoints that contradict each other: each is signed only with a proof that it goes on from
 * the one before, which is kept here. The older ones are in D1, in R2 and with the tenant's admins.
 */
import type { AuditCheckpoint } from '../contract/checkpoints.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import { type Checkpoint, originOf, type Signed, signCheckpoint } from '../engine/checkpoint.ts';
import { consistencyProof, rootOfRange } from '../engine/merkle.ts';
import { type Span, subtreesOfSpans } from '../engine/merkle-span.ts';
import type { NoteSigner } from '../engine/signed-note.ts';
import { log, logError } from '../log.ts';
import type { AuditHead } from './audit-log.ts';
import { putCheckpoint } from './checkpoint-copies.ts';
import type { Stores } from './stores.ts';

const SCHEMA = `CREATE TABLE IF NOT EXISTS checkpoints (
  one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, root TEXT NOT NULL,
  note TEXT NOT NULL, at TEXT NOT NULL, tree TEXT NOT NULL)`;
type Row = { size: number; root: string; note: string; at: string; tree: string };

/** The last checkpoint, and the tree that it was signed over. */
interface Last {
  readonly checkpoint: AuditCheckpoint;
  readonly tree: Span;
}

export class Checkpoints {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  /** The one that was signed last; null before the first. */
  last(): Last | null {
    const row = this.#sql
      .exec<Row>('SELECT size, root, note, at, tree FROM checkpoints')
      .toArray()[0];
    if (row === undefined) return null;
    const { tree, ...checkpoint } = row;
    return { checkpoint, tree: { begin: 0, end: row.size, hashes: JSON.parse(tree) } };
  }

  /** In place of the one before. */
  put({ size, root, note, at }: AuditCheckpoint, tree: Span): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO checkpoints (one, size, root, note, at, tree)
       VALUES (1, ?, ?, ?, ?, ?)`,
      size,
      root,
      note,
      at,
      JSON.stringify(tree.hashes),
    );
  }
}

export type CheckpointAnswer = Refusal | { ok: true; checkpoint: AuditCheckpoint };

/**
 * A checkpoint over all entries; the one that there is when nothing was appended since. To be called
 * while no other work can come in between, and never throws for that reason. A head that does not go
 * on from the last checkpoint is refused as `conflict`. @param transact runs a transaction
 */
export async function makeCheckpoint(
  stores: Stores,
  signer: NoteSigner,
  transact: (work: () => CheckpointAnswer) => CheckpointAnswer,
): Promise<CheckpointAnswer> {
  const { id: tenantId } = stores.tenant;
  try {
    const head = stores.audit.head();
    const last = stores.checkpoints.last();
    const root = rootOfRange({ size: head.size, hashes: head.tree.hashes });
    if (last?.checkpoint.size === head.size && last.checkpoint.root === root)
      return { ok: true, checkpoint: last.checkpoint };
    const next = { origin: originOf(signer.name, tenantId), size: head.size, root };
    const note = await signCheckpoint(next, signedBefore(next, last, head), [signer]);
    const checkpoint = { size: head.size, root, note, at: new Date().toISOString() };
    return transact(() => store(stores, checkpoint, head));
  } catch (error) {
    logError({ what: 'checkpoint_refused', tenantId }, error);
    return refusal(
      'conflict',
      'The log does not go on from its last checkpoint: nothing was signed.',
    );
  }
}

/** What was signed before, with the proof that it is the beginning of the head. */
function signedBefore(next: Checkpoint, last: Last | null, { recent }: AuditHead): Signed | null {
  if (last === null) return null;
  const { size, root } = last.checkpoint;
  const subtrees = subtreesOfSpans([last.tree, recent]);
  const proof = size <= next.size ? consistencyProof(subtrees, size, next.size) : [];
  return { last: { origin: next.origin, size, root }, proof };
}

/** Inside a transaction. What was signed counts for nothing when the chain has moved since. */
function store(stores: Stores, checkpoint: AuditCheckpoint, signed: AuditHead): CheckpointAnswer {
  const { audit, checkpoints, tenant } = stores;
  if (audit.head().hash !== signed.hash)
    return refusal('unavailable', 'The log has grown meanwhile. Ask again.');
  checkpoints.put(checkpoint, signed.tree);
  audit.checkpointed();
  putCheckpoint(stores, checkpoint);
  log({ what: 'checkpoint_signed', tenantId: tenant.id, count: checkpoint.size });
  return { ok: true, checkpoint };
}
