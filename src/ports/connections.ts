/** A tenant's connections as they are stored and carried: every secret sealed for its owner. */
import type { ConnectionKind, ConnectionSecrets } from '../contract/connections.ts';
import { seal, unseal } from '../sealed.ts';

export interface SealedConnection {
  readonly kind: ConnectionKind;
  readonly settings: Readonly<Record<string, string>>;
  /** By field name, each sealed; they open in a Worker alone. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly updatedAt: string;
}

/** Fields that may be shown; everything else of a connection is a secret. */
const OPEN_FIELDS: ReadonlySet<string> = new Set(['shopDomain']);

/** Seals what a caller gave; `at` is when, in RFC 3339 UTC. */
export async function sealConnection(
  sealKey: string,
  tenantId: string,
  { kind, ...fields }: ConnectionSecrets,
  at: string,
): Promise<SealedConnection> {
  const settings: Record<string, string> = {};
  const secrets: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields))
    if (OPEN_FIELDS.has(name)) settings[name] = value;
    else secrets[name] = await seal(sealKey, ownerOf(tenantId, kind, name), value);
  return { kind, settings, secrets, updatedAt: at };
}

/** The text of one secret; null when it is not set or does not open. */
export async function openSecret(
  sealKey: string,
  tenantId: string,
  connection: SealedConnection | null | undefined,
  name: string,
): Promise<string | null> {
  const sealed = connection?.secrets[name];
  if (connection === null || connection === undefined || sealed === undefined) return null;
  return await unseal(sealKey, ownerOf(tenantId, connection.kind, name), sealed);
}

/** `previous…` secrets are a former secret in its overlap: they keep the seal they were given. */
function ownerOf(tenantId: string, kind: ConnectionKind, name: string): string {
  return `${tenantId}|connection|${kind}|${name === 'previousSigningSecret' ? 'signingSecret' : name}`;
}
