/** Secrets at rest: they open for their owner, whole, with a key that is there; else not at all. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  openSecret,
  resealConnection,
  type SealedConnection,
  sealConnection,
} from '../../src/ports/connections.ts';
import {
  keyIdOf,
  reseal,
  retiredKeyIds,
  type SealKeys,
  seal,
  sealKeyId,
  unseal,
} from '../../src/sealed.ts';

const OLD = 'unit-seal-key-old-0123456789abcdef0123';
const NEW = 'unit-seal-key-new-0123456789abcdef0123';
const before: SealKeys = { SEAL_KEY: OLD };
const during: SealKeys = { SEAL_KEY: NEW, SEAL_KEYS_RETIRED: OLD };
const after: SealKeys = { SEAL_KEY: NEW };

describe('a sealed text', () => {
  it('opens for its owner, whatever it is and however long', async () => {
    const texts = fc
      .string({ unit: 'binary', maxLength: 60 })
      .filter((text) => text.isWellFormed());
    await fc.assert(
      fc.asyncProperty(texts, fc.string(), async (text, owner) => {
        expect(await unseal(before, owner, await seal(before, owner, text))).toBe(text);
      }),
      { numRuns: 100 },
    );
    const large = 'ü'.repeat(300_000);
    expect(await unseal(before, 'o', await seal(before, 'o', large))).toBe(large);
  });

  it('does not open for another owner', async () => {
    const sealed = await seal(before, 't1|connection|stripe|apiKey', 'sk_live_0123');
    for (const owner of [
      't2|connection|stripe|apiKey',
      't1|connection|stripe|webhookSecret',
      't1|connection|email|apiKey',
      't1|connection|stripe|apiKey|',
      '',
    ])
      expect(await unseal(before, owner, sealed)).toBeNull();
  });

  it('that was cut, lengthened or changed in any place does not open', async () => {
    const sealed = await seal(before, 'o', 'sk_live_0123456789');
    const tried: string[] = [];
    for (let at = 0; at < sealed.length; at += 1) {
      tried.push(sealed.slice(0, at), sealed.slice(at + 1), `${sealed.slice(0, at)}A`);
      for (const char of ['A', '_', '.'])
        tried.push(sealed.slice(0, at) + char + sealed.slice(at + 1));
    }
    tried.push(`${sealed}A`, `${sealed}.`, `${sealed}.x`, sealed.replace('v1', 'v2'), '', '....');
    for (const text of tried)
      if (text !== sealed) expect(await unseal(before, 'o', text), text).toBeNull();
  });

  it('is another one each time, and tells its key and nothing else', async () => {
    const all = await Promise.all([1, 2, 3].map(() => seal(before, 'owner-name', 'the-secret')));
    expect(new Set(all).size).toBe(3);
    expect(all.map(keyIdOf)).toEqual(Array.from({ length: 3 }, () => keyIdOf(all[0] ?? '')));
    expect(all.join()).not.toMatch(/the-secret|owner-name|unit-seal/);
    expect(await sealKeyId(before)).toBe(keyIdOf(all[0] ?? ''));
  });
});

describe('a key that was replaced', () => {
  it('opens as long as it is among the retired ones, and seals nothing', async () => {
    const old = await seal(before, 'o', 'text');
    expect(await unseal(during, 'o', old)).toBe('text');
    expect(await unseal(after, 'o', old)).toBeNull();
    const fresh = await seal(during, 'o', 'text');
    expect(await unseal(after, 'o', fresh)).toBe('text');
    expect(await unseal(before, 'o', fresh)).toBeNull();
  });

  it('may be one of several, with commas, spaces or lines between them', async () => {
    const old = await seal(before, 'o', 'text');
    for (const retired of [`${NEW}x,${OLD}`, `${NEW}x ${OLD} `, `${NEW}x\n${OLD}`, `,${OLD},,`]) {
      const keys = { SEAL_KEY: NEW, SEAL_KEYS_RETIRED: retired };
      expect(await unseal(keys, 'o', old), retired).toBe('text');
    }
    expect(await retiredKeyIds(during)).toEqual([await sealKeyId(before)]);
    expect(await retiredKeyIds({ ...after, SEAL_KEYS_RETIRED: NEW })).toEqual([]);
  });

  it('is left behind by sealing anew; what does not open is left as it is', async () => {
    const old = await seal(before, 'o', 'text');
    const fresh = await reseal(during, 'o', old);
    expect(await unseal(after, 'o', fresh ?? '')).toBe('text');
    expect(await reseal(during, 'o', fresh ?? '')).toBe(fresh);
    expect(await reseal(during, 'another', old)).toBeNull();
    expect(await reseal(after, 'o', old)).toBeNull();
  });
});

describe('no key', () => {
  it.each(['', 'too-short'])('(%j) seals nothing and opens nothing', async (SEAL_KEY) => {
    await expect(seal({ SEAL_KEY }, 'o', 'text')).rejects.toThrow('SEAL_KEY');
    expect(await unseal({ SEAL_KEY }, 'o', await seal(before, 'o', 'text'))).toBeNull();
  });

  it('that is not there at all is no key that everybody knows', async () => {
    const unset: SealKeys = JSON.parse('{}');
    await expect(seal(unset, 'o', 'text')).rejects.toThrow('SEAL_KEY');
    expect(
      await unseal({ ...unset, SEAL_KEYS_RETIRED: OLD }, 'o', await seal(before, 'o', 't')),
    ).toBe('t');
  });
});

describe("a connection's secrets", () => {
  const stripe = { kind: 'stripe', webhookSecret: 'whsec_0123', apiKey: 'sk_test_0123' } as const;
  const sealed = (keys: SealKeys, tenantId: string) =>
    sealConnection(keys, tenantId, stripe, '2026-03-02T00:00:00.000Z');
  const opened = async (keys: SealKeys, tenantId: string, connection: SealedConnection) =>
    await Promise.all(
      ['webhookSecret', 'apiKey'].map((name) => openSecret(keys, tenantId, connection, name)),
    );

  it('that were swapped among fields, kinds or tenants do not open', async () => {
    const own = await sealed(before, 't1');
    const { webhookSecret = '', apiKey = '' } = own.secrets;
    const swapped = { ...own, secrets: { webhookSecret: apiKey, apiKey: webhookSecret } };
    expect(await opened(before, 't1', swapped)).toEqual([null, null]);
    expect(await opened(before, 't2', own)).toEqual([null, null]);
    expect(await opened(before, 't1', { ...own, kind: 'shopify' })).toEqual([null, null]);
    expect(await opened(before, 't1', own)).toEqual([stripe.webhookSecret, stripe.apiKey]);
  });

  it('go under the key in use when they are carried on, but for one that does not open', async () => {
    const own = await sealed(before, 't1');
    const broken = { ...own, secrets: { ...own.secrets, apiKey: 'v1.damaged' } };
    const fresh = await resealConnection(during, 't1', broken);
    expect(await opened(after, 't1', fresh)).toEqual([stripe.webhookSecret, null]);
    expect(fresh).toMatchObject({ ...own, secrets: { apiKey: 'v1.damaged' } });
  });
});
