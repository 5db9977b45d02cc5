/**
 * Signatures that Google's Project Wycheproof made up to fool verifiers, through the library, the runtime
 * and the settings by which a sign-in is verified (src/http/access.ts): RS256 alone counts.
 */
import { compactVerify, createLocalJWKSet, type JWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { testGroups } from '../../fixtures/wycheproof/jws-rsa.json';

/** As in access.ts. */
const algorithms = ['RS256'];

const groups: readonly { jwk: JWK; tests: (typeof testGroups)[number]['tests'] }[] = testGroups;

async function holds(jwk: JWK, jws: string): Promise<boolean> {
  try {
    await compactVerify(jws, createLocalJWKSet({ keys: [jwk] }), { algorithms });
    return true;
  } catch {
    return false;
  }
}

describe.each(
  groups.map((group) => [`${group.jwk.alg ?? group.jwk.use} ${group.jwk.kid}`, group] as const),
)('a key for %s', (_name, { jwk, tests }) => {
  test('verifies what it has signed by RS256, and nothing else', async () => {
    for (const { tcId, comment, jws, valid } of tests) {
      const counts = valid && jwk.alg === 'RS256';
      expect([tcId, comment, await holds(jwk, jws)]).toEqual([tcId, comment, counts]);
    }
  });
});

test('the public key is no shared secret: its text signs nothing', async () => {
  const [rsa] = groups;
  const text = new TextEncoder().encode(JSON.stringify(rsa?.jwk));
  const key = await crypto.subtle.importKey('raw', text, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ]);
  const encode = (value: object) => btoa(JSON.stringify(value)).replaceAll('=', '');
  const signed = `${encode({ alg: 'HS256', kid: rsa?.jwk.kid })}.${encode({ email: 'ann@example.com' })}`;
  const mac = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(signed));
  const signature = btoa(String.fromCharCode(...new Uint8Array(mac)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
  expect(await holds(rsa?.jwk ?? {}, `${signed}.${signature}`)).toBe(false);
});
