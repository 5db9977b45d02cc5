/** A tenant's connections as they are stored and carried: every secret sealed for its owner. */
import type { ConnectionKind, ConnectionSecrets } from '../contract/connections.ts';
import { Recent } from '../recent.ts';
import { reseal, type SealKeys, seal, unseal } from '../sealed.ts';

export interface SealedConnection {
  readonly kind: ConnectionKind;
  readonly settings: Readonly<Record<string, string>>;
  /** By field name, each sealed; they open in a Worker alone. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly updatedAt: string;
}

/** Fields that may be shown; everything else of a connection is a secret. */
const OPEN_FIELDS: ReadonlySet<string> = new Set([
  'allow',
  'apiVersion',
  'environment',
  'from',
  'keepFor',
  'project',
  'service',
  'shopDomain',
  'shopId',
  'unsubscribe',
  'url',
]);

/** Secrets that were opened, by all that opening them took: long enough for a burst of runs. */
const opened = new Recent<string>({ max: 1_000, keptMs: 10_000 });

/** A former secret counts beside the new one for this long, so that the other side can change over. */
export const ROTATION_OVERLAP_MS = 24 * 3_600_000;

/** Seals what a caller gave; `at` is when, in RFC 3339 UTC. */
export async function sealConnection(
  keys: SealKeys,
  tenantId: string,
  { kind, ...fields }: ConnectionSecrets,
  at: string,
): Promise<SealedConnection> {
  const settings: Record<string, string> = {};
  const secrets: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields))
    if (typeof value !== 'string') continue;
    else if (OPEN_FIELDS.has(name)) settings[name] = value;
    else secrets[name] = await seal(keys, secretOwner(tenantId, kind, name), value);
  return { kind, settings, secrets, updatedAt: at };
}

/**
 * The same with its secrets under the key in use, so that none is carried on under a former one. What
 * does not open stays as it is.
 */
export async function resealConnection(
  keys: SealKeys,
  tenantId: string,
  connection: SealedConnection,
): Promise<SealedConnection> {
  const { kind, secrets } = connection;
  const sealed = await Promise.all(
    Object.entries(secrets).map(async ([name, text]) => {
      const fresh = await reseal(keys, secretOwner(tenantId, kind, name), text);
      return [name, fresh ?? text] as const;
    }),
  );
  return { ...connection, secrets: Object.fromEntries(sealed) };
}

/** The text of one secret; null when it is not set or does not open. */
export async function openSecret(
  keys: SealKeys,
  tenantId: string,
  connection: SealedConnection | null | undefined,
  name: string,
): Promise<string | null> {
  const sealed = connection?.secrets[name];
  if (connection === null || connection === undefined || sealed === undefined) return null;
  return await openOnce(keys, secretOwner(tenantId, connection.kind, name), sealed);
}

/** Many runs at once are signed with the same secret: opening it costs more than signing does. */
async function openOnce(keys: SealKeys, owner: string, sealed: string): Promise<string | null> {
  const now = Date.now();
  const name = [keys.SEAL_KEY, keys.SEAL_KEYS_RETIRED, owner, sealed].join(' ');
  const known = opened.get(name, now);
  if (known !== undefined) return known;
  const text = await unseal(keys, owner, sealed);
  if (text !== null) opened.put(name, text, now);
  return text;
}

/**
 * The texts that count for one secret at `now` (milliseconds since 1970), the newest first: itself,
 * and the one before it while their overlap lasts. Empty when none is set or none opens.
 */
export async function openSecrets(
  keys: SealKeys,
  tenantId: string,
  connection: SealedConnection | null | undefined,
  name: string,
  now: number,
): Promise<string[]> {
  const until = connection?.settings[untilOf(name)];
  const names = until !== undefined && Date.parse(until) > now ? [name, previousOf(name)] : [name];
  const opened = await Promise.all(
    names.map((each) => openSecret(keys, tenantId, connection, each)),
  );
  return opened.flatMap((secret) => (secret === null ? [] : [secret]));
}

/** The connection with a former secret beside its own one, until the overlap ends. */
export function withPrevious(
  made: SealedConnection,
  name: string,
  former: string,
  until: string,
): SealedConnection {
  return {
    ...made,
    settings: { ...made.settings, [untilOf(name)]: until },
    secrets: { ...made.secrets, [previousOf(name)]: former },
  };
}

/**
 * A vendor's connection that is set again: a webhook secret that is not the same any more is taken
 * for a while beside the new one, since the vendor signs with either until the change has come
 * through. An overlap that lasts goes on when other fields are set.
 */
export async function keepingFormerSecret(
  keys: SealKeys,
  tenantId: string,
  made: SealedConnection,
  former: SealedConnection | null,
  now: number,
): Promise<SealedConnection> {
  const name = 'webhookSecret';
  const [current] = await openSecrets(keys, tenantId, made, name, now);
  const [before, older] = await openSecrets(keys, tenantId, former, name, now);
  const sealed = (field: string) => former?.secrets[field];
  const [same, previous] = [sealed(name), sealed(previousOf(name))];
  if (before === undefined || same === undefined || former === null) return made;
  // Another shop is no rotation: its secret must not count here.
  if (former.settings.shopDomain !== made.settings.shopDomain) return made;
  if (before !== current)
    return withPrevious(made, name, same, new Date(now + ROTATION_OVERLAP_MS).toISOString());
  const { previousUntil } = former.settings;
  return older === undefined || previous === undefined || previousUntil === undefined
    ? made
    : withPrevious(made, name, previous, previousUntil);
}

/** The setting that says until when a former secret counts: keys of two schemes rotate each alone. */
function untilOf(name: string): string {
  return name === 'signingKey' ? 'previousKeyUntil' : 'previousUntil';
}

function previousOf(name: string): string {
  return `previous${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/**
 * Whom a secret is sealed for. `previous…` secrets are a former secret in its overlap: they keep the
 * seal they were given.
 */
export function secretOwner(tenantId: string, kind: ConnectionKind, name: string): string {
  const [, first = '', rest = ''] = /^previous([A-Z])(.*)$/.exec(name) ?? [];
  const own = first === '' ? name : first.toLowerCase() + rest;
  return `${tenantId}|connection|${kind}|${own}`;
}
