/**
 * The connection that webhooks are signed by: a shared secret, an Ed25519 key, or both. Each is
 * rotated alone, and a former one signs too until its overlap ends. Public keys are settings of the
 * connection, since everybody may read them.
 */
import type { ConnectionSecrets } from '../contract/connections.ts';
import type { SealKeys } from '../sealed.ts';
import {
  openSecrets,
  ROTATION_OVERLAP_MS,
  type SealedConnection,
  sealConnection,
  withPrevious,
} from './connections.ts';
import {
  isSigningSecret,
  newPrivateKey,
  newSigningSecret,
  openSigningKey,
} from './webhook-keys.ts';

export type WebhookSecrets = Extract<ConnectionSecrets, { kind: 'webhook' }>;
export type WebhookKeyName = 'signingSecret' | 'signingKey';

/** A key that receivers can verify with; `until` (RFC 3339) of a former one, null of the current. */
export interface PublicKey {
  readonly publicKey: string;
  readonly until: string | null;
}

/** The fields that could sign nothing. */
export async function unusableKeys({
  signingSecret,
  signingKey,
}: WebhookSecrets): Promise<WebhookKeyName[]> {
  const badSecret = signingSecret !== undefined && !isSigningSecret(signingSecret);
  const badKey = signingKey !== undefined && (await openSigningKey(signingKey)) === null;
  return [
    ...(badSecret ? ['signingSecret' as const] : []),
    ...(badKey ? ['signingKey' as const] : []),
  ];
}

/** Seals what a caller gave, with the public key beside it. */
export async function sealWebhookKeys(
  keys: SealKeys,
  tenantId: string,
  secrets: WebhookSecrets,
  at: string,
): Promise<SealedConnection> {
  const sealed = await sealConnection(keys, tenantId, secrets, at);
  const key = secrets.signingKey === undefined ? null : await openSigningKey(secrets.signingKey);
  return key === null
    ? sealed
    : { ...sealed, settings: { ...sealed.settings, publicKey: key.publicKey } };
}

/**
 * A new key in the place of one, or beside the other one; what was there signs too for a while.
 * @returns the connection; `secret` is the new shared secret, null for an Ed25519 key, which nobody
 *   but us has to know
 */
export async function rotateWebhookKey(
  keys: SealKeys,
  tenantId: string,
  former: SealedConnection | null,
  name: WebhookKeyName,
  now: number,
): Promise<{ connection: SealedConnection; secret: string | null }> {
  const secret = name === 'signingSecret' ? newSigningSecret() : null;
  const fresh: WebhookSecrets =
    secret === null
      ? { kind: 'webhook', signingKey: newPrivateKey() }
      : { kind: 'webhook', signingSecret: secret };
  const at = new Date(now).toISOString();
  const made = await sealWebhookKeys(keys, tenantId, fresh, at);
  const merged = {
    ...made,
    settings: { ...former?.settings, ...made.settings },
    secrets: { ...former?.secrets, ...made.secrets },
  };
  const before = former?.secrets[name];
  if (before === undefined) return { connection: merged, secret };
  const until = new Date(now + ROTATION_OVERLAP_MS).toISOString();
  const rotated = withPrevious(merged, name, before, until);
  const previousPublicKey = former?.settings.publicKey;
  const connection =
    name === 'signingSecret' || previousPublicKey === undefined
      ? rotated
      : { ...rotated, settings: { ...rotated.settings, previousPublicKey } };
  return { connection, secret };
}

/** Everything that signs at `now` (milliseconds since 1970): shared secrets first, the newest first. */
export async function signingKeys(
  keys: SealKeys,
  tenantId: string,
  connection: SealedConnection | undefined,
  now: number,
): Promise<string[]> {
  const open = (name: WebhookKeyName) => openSecrets(keys, tenantId, connection, name, now);
  return [...(await open('signingSecret')), ...(await open('signingKey'))];
}

/** The public keys that count at `now`, the newest first. */
export function publicKeys(connection: SealedConnection | null, now: number): PublicKey[] {
  const { publicKey, previousPublicKey, previousKeyUntil } = connection?.settings ?? {};
  const current = publicKey === undefined ? [] : [{ publicKey, until: null }];
  const lasts = previousKeyUntil !== undefined && Date.parse(previousKeyUntil) > now;
  return previousPublicKey === undefined || !lasts
    ? current
    : [...current, { publicKey: previousPublicKey, until: previousKeyUntil }];
}
