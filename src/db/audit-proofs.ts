/**
 * Proofs about a tenant's chain, from the rows that are served: one pass over the entries' hashes in
 * constant memory. Nobody has to trust them: a proof counts only against a root that was signed.
 */
import type { ConsistencyProof, InclusionProof } from '../contract/checkpoints.ts';
import { consistencyProof, inclusionProof, leafHash } from '../engine/merkle.ts';
import { ProofPass } from '../engine/merkle-pass.ts';
import { hashPages } from './audit.ts';

/** That entry `seq` is among the first `size`: 1 <= seq <= size, and the tenant has so many. */
export async function proveInclusion(
  db: D1Database,
  tenantId: string,
  seq: number,
  size: number,
): Promise<InclusionProof> {
  const pass = new ProofPass((subtrees) => inclusionProof(subtrees, seq - 1, size));
  let leaf = '';
  await passOver(db, tenantId, size, pass, (taken) => {
    if (pass.size === seq) leaf = taken;
  });
  return { seq, size, root: pass.root, leafHash: leaf, hashes: pass.proof() };
}

/** That the tree `to` began as the tree `from`: 1 <= from <= to, and the tenant has so many. */
export async function proveConsistency(
  db: D1Database,
  tenantId: string,
  from: number,
  to: number,
): Promise<ConsistencyProof> {
  const pass = new ProofPass((subtrees) => consistencyProof(subtrees, from, to));
  let fromRoot = '';
  await passOver(db, tenantId, to, pass, () => {
    if (pass.size === from) fromRoot = pass.root;
  });
  return { from, to, fromRoot, toRoot: pass.root, hashes: pass.proof() };
}

/** Throws for rows with a gap: no tree can be made of them. */
async function passOver(
  db: D1Database,
  tenantId: string,
  size: number,
  pass: ProofPass,
  afterLeaf: (leaf: string) => void,
): Promise<void> {
  for await (const page of hashPages(db, tenantId, size))
    for (const { seq, hash } of page) {
      if (seq !== pass.size + 1) throw new Error(`audit entry ${pass.size + 1} is missing`);
      const leaf = leafHash(hash);
      pass.take(leaf);
      afterLeaf(leaf);
    }
  if (pass.size !== size) throw new Error(`audit entry ${pass.size + 1} is missing`);
}
