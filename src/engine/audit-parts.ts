/**
 * Private parts of audit entries: what a person may ask to have erased stands beside the chain. The
 * hashed form of an entry holds a salted digest in the place of each, so that a part can be taken away
 * and every hash still fits. A part is the actor's name, or one whole field of `data`.
 * docs/audit-format.md
 */
import type { AuditEntry, AuditPart } from '../contract/audit.ts';
import { isJsonObject, type Json, type JsonObject } from '../contract/json.ts';
import { canonicalText } from './canonical.ts';
import { isHash, portableSha256, type Sha256 } from './sha256.ts';

/** What stands in the place of a part that was erased. */
export const ERASED = '[erased]';

const ACTOR_NAME = 'actor.name';
const DATA_PREFIX = 'data.';
/** The one name in the object that takes a part's place in the hashed form. */
const COMMITMENT = '$private';
/** 16 random bytes in lower-case hex. */
const SALT = /^[0-9a-f]{32}$/;

/** SHA-256 of the salt's 32 characters followed by the value's canonical JSON (RFC 8785). */
export function digestOf(salt: string, value: Json, sha256: Sha256 = portableSha256): string {
  return sha256.ofText(salt + canonicalText(value));
}

/** The value at a part's path; undefined where the entry has none, or where no part can be. */
export function partAt({ actor, data }: JsonObject, path: string): Json | undefined {
  const [within, name] =
    path === ACTOR_NAME
      ? [actor, 'name']
      : path.startsWith(DATA_PREFIX)
        ? [data, path.slice(DATA_PREFIX.length)]
        : [undefined, ''];
  return isJsonObject(within) && Object.hasOwn(within, name) ? within[name] : undefined;
}

/** The entry with another value at each of some paths, all of which have one. */
export function withParts(entry: JsonObject, values: ReadonlyMap<string, Json>): JsonObject {
  if (values.size === 0) return entry;
  const { actor, data } = entry;
  const name = values.get(ACTOR_NAME);
  const fields = [...values].flatMap(([path, value]) =>
    path === ACTOR_NAME ? [] : [[path.slice(DATA_PREFIX.length), value] as const],
  );
  return {
    ...entry,
    ...(name !== undefined && isJsonObject(actor) ? { actor: { ...actor, name } } : {}),
    ...(fields.length > 0 && isJsonObject(data)
      ? { data: { ...data, ...Object.fromEntries(fields) } }
      : {}),
  };
}

/** The entry with a fresh salt, and the digest, for each of its private parts. */
export function withPrivate<Entry extends Omit<AuditEntry, 'hash' | 'private'>>(
  entry: Entry,
  paths: readonly string[],
  newSalt: () => string,
): Entry & Pick<AuditEntry, 'private'> {
  const parts = paths.map((path): [string, AuditPart] => {
    const value = partAt(entry, path);
    if (value === undefined) throw new Error(`the entry has no part ${path}`);
    const salt = newSalt();
    return [path, { digest: digestOf(salt, value), salt }];
  });
  return parts.length === 0 ? entry : { ...entry, private: Object.fromEntries(parts) };
}

/**
 * What is hashed of an entry: without `private`, and in the place of each part its digest. Undefined
 * when `private` is not as entries have it, or names a part that is not there.
 */
export function hashedForm({ private: parts, ...entry }: JsonObject): JsonObject | undefined {
  if (parts === undefined) return entry;
  if (!isJsonObject(parts)) return undefined;
  const commitments = new Map<string, Json>();
  for (const [path, part] of Object.entries(parts)) {
    const digest = isJsonObject(part) ? part.digest : undefined;
    if (typeof digest !== 'string' || !isHash(digest)) return undefined;
    if (partAt(entry, path) === undefined) return undefined;
    commitments.set(path, { [COMMITMENT]: digest });
  }
  return withParts(entry, commitments);
}

/** What is hashed of an entry that was just made. Throws when it names a part that is not there. */
export function formOf({
  private: parts,
  ...entry
}: Omit<AuditEntry, 'hash'> & Partial<Pick<AuditEntry, 'hash'>>): JsonObject {
  const form = parts === undefined ? entry : hashedForm({ ...entry, private: { ...parts } });
  if (form === undefined) throw new Error(`audit entry ${entry.seq} lacks a private part`);
  return form;
}

/** The digest that a value of the hashed form stands for; null for any other value. */
export function committed(value: Json | undefined): string | null {
  if (!isJsonObject(value)) return null;
  const digest = value[COMMITMENT];
  return typeof digest === 'string' && Object.keys(value).length === 1 ? digest : null;
}

/** The private parts of a hashed form: each path with its digest, in the order of the entry. */
export function commitmentsOf({ actor, data }: JsonObject): [path: string, digest: string][] {
  const name = isJsonObject(actor) ? committed(actor.name) : null;
  const found: [string, string][] = name === null ? [] : [[ACTOR_NAME, name]];
  if (!isJsonObject(data)) return found;
  for (const field of Object.keys(data)) {
    const digest = committed(data[field]);
    if (digest !== null) found.push([`${DATA_PREFIX}${field}`, digest]);
  }
  return found;
}

/** What a check of an entry's private parts found. */
export interface PartsVerdict {
  readonly whole: number;
  readonly erased: number;
  /** Why one of them is not what was hashed; null when all are. */
  readonly fault: string | null;
}

const NO_PARTS: PartsVerdict = { whole: 0, erased: 0, fault: null };

/**
 * How many parts an entry says that an erasure took away; of most entries none. Whoever takes a part
 * away without an erasure leaves more of them missing than the chain tells of.
 */
export function partsToldErased({ action, data }: JsonObject): number {
  if (action !== 'privacy.erased' || !isJsonObject(data) || !isJsonObject(data.erased)) return 0;
  const { auditParts } = data.erased;
  return typeof auditParts === 'number' ? auditParts : 0;
}

/** Holds each part that is there against its digest. The digests are the hash's matter. */
export function checkParts(entry: JsonObject, sha256: Sha256): PartsVerdict {
  const bare = commitmentsOf(entry).length;
  const { private: parts } = entry;
  if (!isJsonObject(parts)) return bare === 0 ? NO_PARTS : { whole: 0, erased: bare, fault: null };
  let [whole, erased] = [0, bare];
  for (const [path, part] of Object.entries(parts)) {
    const { digest, salt, ...more }: JsonObject = isJsonObject(part) ? part : {};
    const value = partAt(entry, path) ?? null;
    const fault = (reason: string) => ({
      whole,
      erased,
      fault: `the private part ${path} ${reason}`,
    });
    if (Object.keys(more).length > 0) return fault('holds more than its digest and salt');
    if (salt === undefined) {
      if (value !== ERASED) return fault('was erased, and something stands in its place');
      erased += 1;
    } else {
      if (typeof salt !== 'string' || !SALT.test(salt) || digestOf(salt, value, sha256) !== digest)
        return fault('does not fit its digest');
      whole += 1;
    }
  }
  return { whole, erased, fault: null };
}
