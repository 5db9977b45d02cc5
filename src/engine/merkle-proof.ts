/**
 * Checks proofs about the Merkle tree of merkle.ts, as RFC 9162, sections 2.1.3.2 and 2.1.4.2, says
 * to. False for whatever does not prove the claim; a proof with a hash too many, or text that is no
 * hash, is refused as well, so that there is one proof for each claim.
 */
import { nodeHash } from './merkle.ts';
import { isHash, portableSha256, type Sha256 } from './sha256.ts';

export type InclusionClaim = { index: number; size: number; leaf: string; root: string };

/** Whether the proof shows that `leaf` (a leaf hash) is number `index` of the tree with that root. */
export function verifyInclusion(
  { index, size, leaf, root }: InclusionClaim,
  proof: readonly string[],
  sha256: Sha256 = portableSha256,
): boolean {
  if (!isSize(size) || !isSize(index) || index >= size) return false;
  if (![leaf, ...proof].every(isHash)) return false;
  const climb = new Climb(index, size - 1);
  let node = leaf;
  for (const beside of proof) {
    if (climb.isAtTop) return false;
    node = climb.isLeftBeside() ? nodeHash(beside, node, sha256) : nodeHash(node, beside, sha256);
    climb.up();
  }
  return climb.isAtTop && node === root;
}

export type ConsistencyClaim = { from: number; fromRoot: string; to: number; toRoot: string };

/**
 * Whether the proof shows that the tree `to` began as the tree `from`. Nothing can be shown
 * about the empty tree, which every tree began as.
 */
export function verifyConsistency(
  { from, fromRoot, to, toRoot }: ConsistencyClaim,
  proof: readonly string[],
  sha256: Sha256 = portableSha256,
): boolean {
  if (!isSize(from) || !isSize(to) || from > to) return false;
  if (from === 0) return false;
  if (from === to) return proof.length === 0 && fromRoot === toRoot;
  if (proof.length === 0) return false;
  const climb = new Climb(from - 1, to - 1);
  climb.skipWhatBothShare();
  const [first, ...rest] = climb.isAtLeftEdge ? [fromRoot, ...proof] : proof;
  if (first === undefined || ![first, ...rest].every(isHash)) return false;
  let [old, now] = [first, first];
  for (const beside of rest) {
    if (climb.isAtTop) return false;
    if (climb.isLeftBeside()) old = nodeHash(beside, old, sha256);
    now = climb.isLeftBeside() ? nodeHash(beside, now, sha256) : nodeHash(now, beside, sha256);
    climb.up();
  }
  return climb.isAtTop && old === fromRoot && now === toRoot;
}

/** The way from a node to the root, beside the way of the tree's last node: `fn` and `sn` of the RFC. */
class Climb {
  #node: number;
  #last: number;

  constructor(node: number, last: number) {
    this.#node = node;
    this.#last = last;
  }

  get isAtTop(): boolean {
    return this.#last === 0;
  }

  get isAtLeftEdge(): boolean {
    return this.#node === 0;
  }

  /** Whether the next hash of the proof belongs to the left of the node. */
  isLeftBeside(): boolean {
    return this.#node % 2 === 1 || this.#node === this.#last;
  }

  /** Over the next hash. A last node without a partner rises unhashed until it has one. */
  up(): void {
    if (this.#node === this.#last) while (this.#node % 2 === 0 && this.#node > 0) this.#halve();
    this.#halve();
  }

  /** From the old tree's last leaf to the largest full subtree that it ends. */
  skipWhatBothShare(): void {
    while (this.#node % 2 === 1) this.#halve();
  }

  #halve(): void {
    this.#node = Math.floor(this.#node / 2);
    this.#last = Math.floor(this.#last / 2);
  }
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
