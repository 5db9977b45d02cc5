/**
 * Checks an exported audit chain line by line, oldest entry first, and names the first entry that
 * does not fit. Constant memory; what an entry's hash is, the engine says. docs/audit-format.md
 */
import { isJsonObject, type Json, type JsonObject } from '../../src/contract/json.ts';
import { type ChainFault, ChainVerifier } from '../../src/engine/chain.ts';
import { portableSha256, type Sha256 } from '../../src/engine/sha256.ts';
import type { Line } from './lines.ts';
import { CheckpointWatch, type TrustedCheckpoint } from './watch.ts';

/** `seq`: the first bad entry; null when the fault is in no entry. `line`: where it is, or lacks. */
export type Fault = { ok: false; seq: number | null; line: number | null; reason: string };
export type Summary = {
  ok: true;
  tenantId: string;
  entries: number;
  /** When the first and the last entry say they were written; null without entries. */
  firstAt: string | null;
  lastAt: string | null;
  /** The hash of the last entry. */
  head: string;
  /** How many checkpoints matched. */
  checkpoints: number;
  /** Private parts that are there and fit their digests, and those that were erased. */
  parts: { whole: number; erased: number };
};

/** @param tenantId null: the tenant that the first entry says was created */
export async function verifyLog(
  batches: AsyncIterable<readonly Line[]>,
  tenantId: string | null,
  checkpoints: readonly TrustedCheckpoint[],
  sha256: Sha256 = portableSha256,
): Promise<Fault | Summary> {
  const watch = new CheckpointWatch(checkpoints, sha256);
  const impossible = watch.begin();
  if (impossible !== null) return { ok: false, seq: null, line: null, reason: impossible };
  const pass = new LogPass(tenantId, watch, sha256);
  let number = 0;
  for await (const batch of batches)
    for (const line of batch) {
      number += 1;
      const fault = pass.take(line);
      if (fault !== null) return { ok: false, line: number, ...fault };
    }
  const end = pass.end();
  return 'reason' in end ? { ok: false, line: number + 1, ...end } : { ok: true, ...end };
}

/** Where a pass over a log is. */
class LogPass {
  #tenantId: string | null;
  #chain: ChainVerifier | null = null;
  #firstAt: string | null = null;
  #lastAt: string | null = null;
  readonly #watch: CheckpointWatch;
  readonly #sha256: Sha256;

  constructor(tenantId: string | null, watch: CheckpointWatch, sha256: Sha256) {
    this.#tenantId = tenantId;
    this.#watch = watch;
    this.#sha256 = sha256;
  }

  take(line: Line): ChainFault | null {
    const seq = (this.#chain?.entries ?? 0) + 1;
    const entry = parseEntry(line);
    if (entry === null)
      return { seq, reason: `entry ${seq} is not a JSON object as the export writes it` };
    this.#tenantId ??= createdTenant(entry);
    if (this.#tenantId === null)
      return { seq, reason: 'entry 1 does not say whose chain it is; name the tenant' };
    this.#chain ??= new ChainVerifier(this.#tenantId, this.#sha256);
    const at = typeof entry.at === 'string' ? entry.at : null;
    this.#firstAt ??= at;
    this.#lastAt = at;
    return this.#chain.take(entry) ?? this.#watch.take(this.#chain.head, at);
  }

  end(): ChainFault | Omit<Summary, 'ok'> {
    if (this.#tenantId === null) return { seq: 1, reason: 'the log is empty' };
    const { entries, head, parts } = this.#chain ?? new ChainVerifier(this.#tenantId, this.#sha256);
    const [firstAt, lastAt, checkpoints] = [this.#firstAt, this.#lastAt, this.#watch.matched];
    const summary = {
      tenantId: this.#tenantId,
      entries,
      firstAt,
      lastAt,
      head,
      checkpoints,
      parts,
    };
    return this.#watch.end(entries) ?? summary;
  }
}

/**
 * The entry on a line; null unless it is written as JSON.stringify writes it. A name that is there
 * twice, or a number that a double cannot hold, would read differently elsewhere than it was hashed.
 */
function parseEntry(line: Line): JsonObject | null {
  if (line === null) return null;
  try {
    const value: Json = JSON.parse(line);
    return isJsonObject(value) && JSON.stringify(value) === line ? value : null;
  } catch {
    return null;
  }
}

/** The tenant whose beginning the entry tells; null for any other entry. */
function createdTenant({ action, target }: JsonObject): string | null {
  if (action !== 'tenant.created' || !isJsonObject(target)) return null;
  return typeof target.id === 'string' ? target.id : null;
}
