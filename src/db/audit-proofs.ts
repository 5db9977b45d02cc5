/**
 * Proofs about a tenant's chain, from the rows that are served: some hundreds of them, however long it
 * is. Nobody has to trust them: a proof counts only against a root that was signed.
 */
import type { ConsistencyProof, InclusionProof } from '../contract/checkpoints.ts';
import { consistencyProof, inclusionProof, rootOfFirst, type Subtrees } from '../engine/merkle.ts';
import { rangesFor } from '../engine/merkle-kept.ts';
import { findSubtrees } from './audit-subtrees.ts';

/** That entry `seq` is among the first `size`: 1 <= seq <= size, and the tenant has so many. */
export async function proveInclusion(
  db: D1Database,
  tenantId: string,
  seq: number,
  size: number,
): Promise<InclusionProof> {
  return await answered(db, tenantId, (subtrees) => ({
    seq,
    size,
    root: rootOfFirst(subtrees, size),
    leafHash: subtrees(0, seq - 1),
    hashes: inclusionProof(subtrees, seq - 1, size),
  }));
}

/** That the tree `to` began as the tree `from`: 1 <= from <= to, and the tenant has so many. */
export async function proveConsistency(
  db: D1Database,
  tenantId: string,
  from: number,
  to: number,
): Promise<ConsistencyProof> {
  return await answered(db, tenantId, (subtrees) => ({
    from,
    to,
    fromRoot: rootOfFirst(subtrees, from),
    toRoot: rootOfFirst(subtrees, to),
    hashes: consistencyProof(subtrees, from, to),
  }));
}

/** Asks twice: what it needs, and then with that. Throws for rows with a gap, which make no tree. */
async function answered<Answer>(
  db: D1Database,
  tenantId: string,
  answer: (subtrees: Subtrees) => Answer,
): Promise<Answer> {
  const { subtrees } = await findSubtrees(db, tenantId, rangesFor(answer));
  return answer(subtrees);
}
