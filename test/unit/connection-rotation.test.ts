/** A webhook secret that is set anew: the former one counts beside it, for a day and no longer. */
import { describe, expect, it } from 'vitest';
import {
  keepingFormerSecret,
  openSecrets,
  ROTATION_OVERLAP_MS,
  type SealedConnection,
  sealConnection,
} from '../../src/ports/connections.ts';

const KEYS = { SEAL_KEY: 'unit-seal-key-0123456789abcdef0123456789ab' };
const START = Date.parse('2026-03-02T00:00:00.000Z');

/** Sets the connection as the route does, at a time in milliseconds after the start. */
async function set(
  former: SealedConnection | null,
  webhookSecret: string,
  after: number,
  shopDomain = 'demo.myshopify.com',
): Promise<SealedConnection> {
  const now = START + after;
  const fields = { kind: 'shopify', shopDomain, webhookSecret } as const;
  const made = await sealConnection(KEYS, 't1', fields, new Date(now).toISOString());
  return await keepingFormerSecret(KEYS, 't1', made, former, now);
}
const counting = (connection: SealedConnection, after: number) =>
  openSecrets(KEYS, 't1', connection, 'webhookSecret', START + after);

describe('the secrets that count', () => {
  it('are the first one alone, before any rotation', async () => {
    expect(await counting(await set(null, 'secret-a', 0), 0)).toEqual(['secret-a']);
    expect(await openSecrets(KEYS, 't1', null, 'webhookSecret', START)).toEqual([]);
  });

  it('are both until the overlap ends, the new one first', async () => {
    const rotated = await set(await set(null, 'secret-a', 0), 'secret-b', 1_000);
    const end = 1_000 + ROTATION_OVERLAP_MS;
    expect(await counting(rotated, 1_000)).toEqual(['secret-b', 'secret-a']);
    expect(await counting(rotated, end - 1)).toEqual(['secret-b', 'secret-a']);
    expect(await counting(rotated, end)).toEqual(['secret-b']);
  });

  it('stay both when the same secret is set again meanwhile, and the end stays where it was', async () => {
    const rotated = await set(await set(null, 'secret-a', 0), 'secret-b', 0);
    const again = await set(rotated, 'secret-b', 60_000);
    expect(await counting(again, 60_000)).toEqual(['secret-b', 'secret-a']);
    expect(again.settings.previousUntil).toBe(rotated.settings.previousUntil);
  });

  it('are never three', async () => {
    const second = await set(await set(null, 'secret-a', 0), 'secret-b', 0);
    expect(await counting(await set(second, 'secret-c', 1), 1)).toEqual(['secret-c', 'secret-b']);
  });

  it('are the new one alone when an overlap is over and the same is set again', async () => {
    const rotated = await set(await set(null, 'secret-a', 0), 'secret-b', 0);
    const later = await set(rotated, 'secret-b', ROTATION_OVERLAP_MS + 1);
    expect(Object.keys(later.secrets)).toEqual(['webhookSecret']);
    expect(later.settings).toEqual({ shopDomain: 'demo.myshopify.com' });
  });

  it("are not another shop's", async () => {
    const other = await set(await set(null, 'secret-a', 0), 'secret-b', 0, 'other.myshopify.com');
    expect(await counting(other, 0)).toEqual(['secret-b']);
  });

  it('are nobody else’s: the former one opens for its own tenant and kind alone', async () => {
    const rotated = await set(await set(null, 'secret-a', 0), 'secret-b', 0);
    expect(await openSecrets(KEYS, 't2', rotated, 'webhookSecret', START)).toEqual([]);
    const asStripe: SealedConnection = { ...rotated, kind: 'stripe' };
    expect(await openSecrets(KEYS, 't1', asStripe, 'webhookSecret', START)).toEqual([]);
  });

  it('are stored sealed, and nothing that is not a text is stored', async () => {
    const rotated = await set(await set(null, 'secret-a', 0), 'secret-b', 0);
    expect(JSON.stringify(rotated)).not.toMatch(/secret-[ab]/);
    const fields = { kind: 'stripe', webhookSecret: 'secret-a', dropPrevious: true } as const;
    const made = await sealConnection(KEYS, 't1', fields, '2026-03-02T00:00:00.000Z');
    expect({ settings: made.settings, secrets: Object.keys(made.secrets) }).toEqual({
      settings: {},
      secrets: ['webhookSecret'],
    });
  });
});
