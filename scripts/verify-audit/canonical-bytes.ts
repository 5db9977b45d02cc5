/** Canonical JSON (RFC 8785), put together from pieces of a line. */
import type { Span } from './compact-json.ts';

const COMMA = 0x2c;
/** From so many bytes on, a call of the platform copies them faster than a loop. */
const LONG = 48;
const [LIST, LIST_END, OBJECT, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d];
const COMMITMENT = '{"$private":';

/** Values that a digest stands for, each with where the digest is. */
export type Committed = ReadonlyMap<Span, Span>;

export class CanonicalBytes {
  #bytes = new Uint8Array(1 << 16);
  #size = 0;
  #source: Buffer = Buffer.alloc(0);

  /** Begins anew. @param length of the line whose pieces follow, which are among these bytes */
  begin(source: Buffer, length: number): void {
    this.#source = source;
    this.#size = 0;
    // A digest takes more room than what it may stand for, but stands in the line itself as well.
    if (length * 2 > this.#bytes.length) this.#bytes = new Uint8Array(length * 2);
  }

  /** What was written, until the next beginning. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  value(span: Span): void {
    if (span.members !== null) this.object(span.members);
    else if (span.items !== null) this.#list(span.items);
    else this.raw(span.from, span.to);
  }

  /** @param depth of the members: those of members of an entry may be committed */
  object(members: readonly Span[], committed: Committed | null = null, depth = 1): void {
    this.#put(OBJECT);
    let isFirst = true;
    for (const member of members) {
      if (!isFirst) this.#put(COMMA);
      isFirst = false;
      this.#member(member, committed, depth);
    }
    this.#put(OBJECT_END);
  }

  #member(member: Span, committed: Committed | null, depth: number): void {
    const { name, from, to, members, items } = member;
    const digest = depth === 2 ? committed?.get(member) : undefined;
    const isPlain = digest === undefined && members === null && items === null;
    this.raw(name, isPlain ? to : from);
    if (digest !== undefined) this.#commitment(digest);
    else if (members !== null) this.object(members, committed, depth + 1);
    else if (items !== null) this.#list(items);
  }

  /** Bytes as they are. */
  raw(from: number, to: number): void {
    if (to - from >= LONG) {
      this.#size += this.#source.copy(this.#bytes, this.#size, from, to);
      return;
    }
    const [source, bytes] = [this.#source, this.#bytes];
    let size = this.#size;
    for (let at = from; at < to; at += 1) {
      bytes[size] = source[at] ?? 0;
      size += 1;
    }
    this.#size = size;
  }

  #list(items: readonly Span[]): void {
    this.#put(LIST);
    for (const [index, item] of items.entries()) {
      if (index > 0) this.#put(COMMA);
      this.value(item);
    }
    this.#put(LIST_END);
  }

  #commitment({ from, to }: Span): void {
    for (let at = 0; at < COMMITMENT.length; at += 1) this.#put(COMMITMENT.charCodeAt(at));
    this.raw(from, to);
    this.#put(OBJECT_END);
  }

  #put(byte: number): void {
    this.#bytes[this.#size] = byte;
    this.#size += 1;
  }
}
