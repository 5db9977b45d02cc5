/** Every kind of credential that a request may come with, and what a route has to say to it. */
import { env } from 'cloudflare:workers';
import { KEY_ROLES, type KeyRole, type Role } from '../../../src/contract/json.ts';
import { mintKey } from '../../../src/http/api-key.ts';
import type { Route } from '../../../src/http/route.ts';
import { textAt } from './answers.ts';
import { newKey, newTenant, type Tenant } from './api.ts';

export interface Credential {
  readonly name: string;
  readonly token: string | undefined;
  readonly role: KeyRole | 'platform' | null;
}

/** Made for one tenant: good keys of every role, and whatever must not pass for one. */
export async function everyCredential(): Promise<{ tenant: Tenant; credentials: Credential[] }> {
  const tenant = await newTenant();
  const admin = await tenant.key('admin');
  const revoked = await newKey(admin, 'admin');
  await tenant.post('/api/admin/api-keys/revoke', { id: revoked.id });
  const revokedFrontend = await newKey(admin, 'frontend');
  await tenant.post('/api/admin/api-keys/revoke', { id: revokedFrontend.id });
  const { secret: frontend } = await newKey(admin, 'frontend');
  const unstoredFrontend = await mintKey(env.KEY_SECRET, tenant.id, {
    name: 'Key',
    role: 'frontend',
  });
  const nobodys = await mintKey(env.KEY_SECRET, 'no-such-tenant', { name: 'Key', role: 'admin' });
  const unstored = await mintKey(env.KEY_SECRET, tenant.id, { name: 'Key', role: 'admin' });
  const forged = await mintKey('another-secret-0123456789abcdef', tenant.id, {
    name: 'Key',
    role: 'admin',
  });
  const other = await newTenant();
  const bad = {
    'no credential': undefined,
    garbage: 'garbage',
    'a made-up key of the right form': `sbx_${tenant.id}_${'0'.repeat(64)}`,
    'a key whose check was made with another secret': forged.secret,
    'a key with a right check for a tenant that does not exist': nobodys.secret,
    'a key with a right check that was never stored': unstored.secret,
    "a key of another tenant with this tenant's name put in": (await other.key('admin')).replace(
      other.id,
      tenant.id,
    ),
    'a revoked key': revoked.secret,
    'a revoked frontend key': revokedFrontend.secret,
    'a frontend key with a right check that was never stored': unstoredFrontend.secret,
    'a frontend key that calls itself a secret one': frontend.replace('sbf_', 'sbx_'),
    'a secret key that calls itself a frontend one': admin.replace('sbx_', 'sbf_'),
    'a key with its last digit changed': admin.replace(/.$/, (digit) =>
      digit === '0' ? '1' : '0',
    ),
  };
  const good = await Promise.all(
    KEY_ROLES.map(async (role) => ({
      name: `a key of role ${role}`,
      token: await tenant.key(role),
      role,
    })),
  );
  return {
    tenant,
    credentials: [
      ...Object.entries(bad).map(([name, token]) => ({ name, token, role: null })),
      ...good,
      { name: 'the platform token', token: env.PLATFORM_TOKEN, role: 'platform' },
    ],
  };
}

/** The contract's own rule, written down a second time: 401, 403 or let in. */
export function expectedFor({ access }: Route, { role }: Credential): 401 | 403 | 'in' {
  if (access.tier === 'anyone') return 'in';
  if (access.tier === 'vendor') return 401;
  if (access.tier === 'platform') return role === 'platform' ? 'in' : 401;
  if (role === null || role === 'platform') return 401;
  if (access.tier === 'frontend') return role === 'ingest' ? 403 : 'in';
  if (role === 'frontend') return 401;
  return mayDo[access.role].includes(role) ? 'in' : 403;
}

const mayDo: Readonly<Record<Role, readonly Role[]>> = {
  ingest: ['ingest', 'admin'],
  viewer: ['viewer', 'approver', 'admin'],
  approver: ['approver', 'admin'],
  admin: ['admin'],
};

/** The id of the tenant's first key. */
export async function firstKeyId(tenant: Tenant): Promise<string> {
  return textAt(await tenant.get('/api/admin/api-keys', 'admin'), 'items.0.id');
}
