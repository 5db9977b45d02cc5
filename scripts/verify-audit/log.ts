/**
 * Checks an exported audit chain, oldest entry first, and names the first entry that does not fit.
 * Constant memory; what an entry's hash is, the engine says. docs/audit-format.md
 */
import { isJsonObject, type Json, type JsonObject } from '../../src/contract/json.ts';
import { type ChainFault, ChainVerifier, type PartCounts } from '../../src/engine/chain.ts';
import { portableSha256, type Sha256 } from '../../src/engine/sha256.ts';
import { type Line, linesOf } from './lines.ts';
import { type Segment, SegmentReader } from './segment.ts';
import { CheckpointWatch, type TrustedCheckpoint } from './watch.ts';

const HASH_LENGTH = 64;

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
  parts: PartCounts;
};

/** Whole lines, and what is known of them; null: they have to be looked at one by one. */
export interface Checked {
  readonly bytes: Buffer;
  readonly segment: Segment | null;
}

/** The chunks with what is known of each, found out here and now. */
export async function* checkedHere(
  chunks: AsyncIterable<Buffer>,
  wantsHashes: boolean,
  sha256: Sha256 = portableSha256,
): AsyncGenerator<Checked> {
  const reader = new SegmentReader(sha256, wantsHashes);
  for await (const bytes of chunks) yield { bytes, segment: reader.read(bytes) };
}

/** @param tenantId null: the tenant that the first entry says was created */
export async function verifyLog(
  chunks: AsyncIterable<Checked>,
  tenantId: string | null,
  checkpoints: readonly TrustedCheckpoint[],
  sha256: Sha256 = portableSha256,
): Promise<Fault | Summary> {
  const watch = new CheckpointWatch(checkpoints, sha256);
  const impossible = watch.begin();
  if (impossible !== null) return { ok: false, seq: null, line: null, reason: impossible };
  const pass = new LogPass(tenantId, watch, sha256);
  for await (const checked of chunks) {
    const fault = pass.take(checked);
    if (fault !== null) return { ok: false, line: pass.lines, ...fault };
  }
  const end = pass.end();
  return 'reason' in end ? { ok: false, line: pass.lines + 1, ...end } : { ok: true, ...end };
}

/** Where a pass over a log is. */
class LogPass {
  /** How many lines were looked at. */
  lines = 0;
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

  take({ bytes, segment }: Checked): ChainFault | null {
    if (segment !== null && this.#chainFrom(segment.first)?.follow(segment) === true) {
      this.#note(segment.first);
      this.#note(segment.last);
      return this.#compare(bytes, segment);
    }
    for (const line of linesOf(bytes)) {
      this.lines += 1;
      const fault = this.#takeLine(line);
      if (fault !== null) return fault;
    }
    return null;
  }

  #takeLine(line: Line): ChainFault | null {
    const seq = (this.#chain?.entries ?? 0) + 1;
    const entry = parseEntry(line);
    if (entry === null)
      return { seq, reason: `entry ${seq} is not a JSON object as the export writes it` };
    const chain = this.#chainFrom(entry);
    if (chain === null)
      return { seq, reason: 'entry 1 does not say whose chain it is; name the tenant' };
    this.#note(entry);
    return chain.take(entry) ?? this.#watch.take(chain.head, () => timeOf(entry));
  }

  /** The chain, begun with its first entry if need be; null when that does not say whose it is. */
  #chainFrom(first: JsonObject): ChainVerifier | null {
    this.#tenantId ??= createdTenant(first);
    if (this.#tenantId !== null) this.#chain ??= new ChainVerifier(this.#tenantId, this.#sha256);
    return this.#chain;
  }

  #note(entry: JsonObject): void {
    this.#lastAt = timeOf(entry);
    this.#firstAt ??= this.#lastAt;
  }

  /** Holds the hashes of a segment that the chain accepted against the checkpoints. */
  #compare(bytes: Buffer, { entries, hashes }: Segment): ChainFault | null {
    for (let at = 0; at < hashes.length; at += HASH_LENGTH) {
      const index = at / HASH_LENGTH;
      const time = () => timeOf(parseEntry(linesOf(bytes)[index] ?? null) ?? {});
      const fault = this.#watch.take(hashes.slice(at, at + HASH_LENGTH), time);
      if (fault === null) continue;
      this.lines += index + 1;
      return fault;
    }
    this.lines += entries;
    return null;
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

function timeOf({ at }: JsonObject): string | null {
  return typeof at === 'string' ? at : null;
}

/** The tenant whose beginning the entry tells; null for any other entry. */
function createdTenant({ action, target }: JsonObject): string | null {
  if (action !== 'tenant.created' || !isJsonObject(target)) return null;
  return typeof target.id === 'string' ? target.id : null;
}
