/**
 * The private parts of audit entries, beside their hashed form in their rows. A trigger lets a part be
 * taken out of a row and refuses all else: a parcel that comes again does not bring it back.
 */
import type { AuditEntry, AuditPart } from '../contract/audit.ts';
import { isJsonObject, type Json, type JsonObject } from '../contract/json.ts';
import { commitmentsOf, ERASED, partAt, withParts } from '../engine/audit-parts.ts';

/** By path: the value, and the salt that its digest was made with. */
export type PrivateParts = Readonly<
  Record<string, { readonly salt: string; readonly value: Json }>
>;

/** Null for an entry that has none. */
export function partsOf(entry: AuditEntry): PrivateParts | null {
  if (entry.private === undefined) return null;
  const { private: proofs, ...rest } = entry;
  const parts = Object.entries(proofs).flatMap(([path, { salt }]) => {
    const value = partAt(rest, path);
    return salt === undefined || value === undefined ? [] : [[path, { salt, value }] as const];
  });
  return Object.fromEntries(parts);
}

/** The text that stands in the column of names for a name that is private. */
const COMMITTED_NAME = /^\{"\$private":"[0-9a-f]{64}"\}$/;

/** What a row of the chain shows, with the parts that are left of it. */
export function shown(
  nameText: string,
  data: JsonObject,
  parts: PrivateParts,
): { actorName: string; data: JsonObject; private: Record<string, AuditPart> | null } {
  const name: Json = COMMITTED_NAME.test(nameText) ? JSON.parse(nameText) : nameText;
  const form = { actor: { name }, data };
  const values = new Map<string, Json>();
  const proofs = commitmentsOf(form).map(([path, digest]): [string, AuditPart] => {
    const part = Object.hasOwn(parts, path) ? parts[path] : undefined;
    values.set(path, part?.value ?? ERASED);
    return [path, part === undefined ? { digest } : { digest, salt: part.salt }];
  });
  const told = withParts(form, values);
  const toldName = partAt(told, 'actor.name');
  return {
    actorName: typeof toldName === 'string' ? toldName : ERASED,
    data: isJsonObject(told.data) ? told.data : data,
    private: proofs.length === 0 ? null : Object.fromEntries(proofs),
  };
}
