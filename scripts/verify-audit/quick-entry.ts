/**
 * Checks an entry where it lies, without making a value of it: several times as fast as the engine's
 * own way (chain.ts, audit-parts.ts), which is the definition. It only ever says yes. Whatever it is
 * not sure of, and every entry that does not fit, the engine judges and gives the reason.
 */
import { ERASED } from '../../src/engine/audit-parts.ts';
import type { CheckedEntries } from '../../src/engine/chain.ts';
import type { Sha256 } from '../../src/engine/sha256.ts';
import { CanonicalBytes } from './canonical-bytes.ts';
import { CompactReader, isText, memberOf, type Span } from './compact-json.ts';
import type { Bounds } from './lines.ts';

const ACTOR_NAME = 'actor.name';
const DATA_PREFIX = 'data.';
const HASH_LENGTH = 64;
const SALT_LENGTH = 32;

/** What stands in the entry in clear, with what `private` says of it. */
interface Part {
  readonly value: Span;
  readonly digest: Span;
  /** Null: it was erased. */
  readonly salt: Span | null;
}

export class QuickReader {
  readonly #sha256: Sha256;
  readonly #reader = new CompactReader();
  readonly #canonical = new CanonicalBytes();
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  /**
   * The hash of the entry in these bytes (UTF-8), and its parts, if it has this number, follows the
   * entry with this hash, and fits. Null for all else.
   */
  read(
    bytes: Buffer,
    [from, to]: Bounds,
    seq: number,
    prevHash: string,
  ): Pick<CheckedEntries, 'head' | 'parts'> | null {
    this.#bytes = bytes;
    this.#length = to - from;
    const entry = this.#reader.read(bytes, from, to);
    const parts = entry === null ? null : this.#parts(entry);
    if (entry === null || parts === null) return null;
    if (!this.#isNumber(entry, 'seq', seq) || !this.#holds(entry, 'prevHash', prevHash))
      return null;
    const head = this.#hashOf(entry, parts);
    if (!this.#holds(entry, 'hash', head)) return null;
    let erased = 0;
    for (const part of parts) {
      if (!this.#fits(part)) return null;
      if (part.salt === null) erased += 1;
    }
    return { head, parts: { whole: parts.length - erased, erased, told: this.#told(entry) } };
  }

  /** Null for an entry whose `private` is not as entries have it. */
  #parts(entry: Span): Part[] | null {
    const parts: Part[] = [];
    const told = this.#member(entry, 'private');
    if (told === null) return parts;
    if (told.members === null) return null;
    for (const proof of told.members) {
      const path = this.#bytes.toString('latin1', proof.name + 1, proof.from - 2);
      const value = this.#valueAt(entry, path);
      const [digest, salt] = [this.#member(proof, 'digest'), this.#member(proof, 'salt')];
      const isAll = proof.members?.length === (salt === null ? 1 : 2);
      if (value === null || digest === null || !isAll) return null;
      parts.push({ value, digest, salt });
    }
    return parts;
  }

  #valueAt(entry: Span, path: string): Span | null {
    if (path === ACTOR_NAME) return this.#member(this.#member(entry, 'actor'), 'name');
    if (!path.startsWith(DATA_PREFIX)) return null;
    return this.#member(this.#member(entry, 'data'), path.slice(DATA_PREFIX.length));
  }

  /** Of the hashed form: without the hash itself and `private`, with digests in the place of parts. */
  #hashOf(entry: Span, parts: readonly Part[]): string {
    const [hash, told] = [this.#member(entry, 'hash'), this.#member(entry, 'private')];
    const hashed = (entry.members ?? []).filter((member) => member !== hash && member !== told);
    const digests = new Map(parts.map(({ value, digest }) => [value, digest]));
    this.#canonical.begin(this.#bytes, this.#length);
    this.#canonical.object(hashed, digests.size === 0 ? null : digests);
    return this.#sha256.ofBytes(this.#canonical.bytes);
  }

  #fits({ value, digest, salt }: Part): boolean {
    if (salt === null) return this.#isText(value, ERASED) && this.#isHex(digest, HASH_LENGTH);
    if (!this.#isHex(salt, SALT_LENGTH)) return false;
    this.#canonical.begin(this.#bytes, this.#length);
    this.#canonical.raw(salt.from + 1, salt.to - 1);
    this.#canonical.value(value);
    return this.#isText(digest, this.#sha256.ofBytes(this.#canonical.bytes));
  }

  /** Of how many parts the entry says that an erasure took them: see partsToldErased. */
  #told(entry: Span): number {
    if (!this.#holds(entry, 'action', 'privacy.erased')) return 0;
    const erased = this.#member(this.#member(entry, 'data'), 'erased');
    const count = this.#member(erased, 'auditParts');
    const value = count === null ? 0 : Number(this.#rawOf(count));
    return Number.isFinite(value) ? value : 0;
  }

  #member(span: Span | null, name: string): Span | null {
    return memberOf(this.#bytes, span, name);
  }

  #isText(span: Span, text: string): boolean {
    return isText(this.#bytes, span, text);
  }

  #holds(entry: Span, name: string, text: string): boolean {
    const member = this.#member(entry, name);
    return member !== null && this.#isText(member, text);
  }

  #isNumber(entry: Span, name: string, value: number): boolean {
    const member = this.#member(entry, name);
    return member !== null && this.#rawOf(member) === String(value);
  }

  #rawOf({ from, to }: Span): string {
    return this.#bytes.toString('latin1', from, to);
  }

  /** Whether it is a text of so many hex digits in lower case. */
  #isHex({ from, to }: Span, length: number): boolean {
    if (to - from - 2 !== length) return false;
    for (let at = from + 1; at < to - 1; at += 1) {
      const byte = this.#bytes[at] ?? 0;
      const isDigit = (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66);
      if (!isDigit) return false;
    }
    return true;
  }
}
