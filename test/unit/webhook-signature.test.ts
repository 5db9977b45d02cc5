/** Webhook signatures against the published vectors, and the libraries of the standard and of Svix. */
import { sign as nodeSign } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { describe, expect, it } from 'vitest';
import { hmacSha256 } from '../../src/hmac.ts';
import {
  isPrivateKey,
  isSigningSecret,
  newPrivateKey,
  newSigningSecret,
  openSigningKey,
} from '../../src/ports/webhook-keys.ts';
import { signWebhook } from '../../src/ports/webhook-signature.ts';
import { verifiesEd25519 } from '../fixtures/receiver/ed25519.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const BODY = '{"test": 2432232314}';
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';

/**
 * The `v1a` example of the specification ("Webhook headers"), and the key pair that made it, of Svix's
 * own tests (svix-server, test_asymmetric_key_signing).
 */
const PAIR =
  'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==';
const PUBLIC = 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=';
const ASYMMETRIC =
  'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==';

const secretOf = (bytes: Uint8Array) => `whsec_${Buffer.from(bytes).toString('base64')}`;
const anySecret = fc.uint8Array({ minLength: 24, maxLength: 64 }).map(secretOf);
const anyId = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

describe('signWebhook', () => {
  it('makes the signature that the specification publishes', async () => {
    expect(await signWebhook([SECRET], ID, 1614265330, BODY)).toBe(SIGNATURE);
  });

  it('agrees with the reference library for any key, id, time and text', async () => {
    const anyTime = fc.integer({ min: 0, max: 4_102_444_800 });
    const anyBody = fc.string({ unit: 'binary' });
    await fc.assert(
      fc.asyncProperty(anySecret, anyId, anyTime, anyBody, async (secret, id, seconds, body) => {
        const theirs = new Webhook(secret).sign(id, new Date(seconds * 1_000), body);
        expect(await signWebhook([secret], id, seconds, body)).toBe(theirs);
      }),
    );
  });

  it('signs once for each secret, so that a receiver with either one can verify', async () => {
    const secrets = [newSigningSecret(), newSigningSecret()];
    const seconds = Math.floor(Date.now() / 1_000);
    const signature = await signWebhook(secrets, ID, seconds, BODY);
    const headers = {
      'webhook-id': ID,
      'webhook-timestamp': String(seconds),
      'webhook-signature': signature,
    };
    expect(signature.split(' ')).toHaveLength(2);
    for (const secret of secrets)
      expect(new Webhook(secret).verify(BODY, headers)).toEqual({ test: 2432232314 });
    expect(() => new Webhook(newSigningSecret()).verify(BODY, headers)).toThrow('No matching');
    expect(() => new Webhook(SECRET).verify(`${BODY} `, headers)).toThrow('No matching');
  });

  it('refuses to send anything unsigned', async () => {
    await expect(signWebhook([], ID, 1, BODY)).rejects.toThrow(TypeError);
  });

  it('refuses a malformed secret without repeating it', async () => {
    const failure = await signWebhook(['whsec_hunter2'], ID, 1, BODY).catch(String);
    expect(failure).toContain('malformed');
    expect(failure).not.toContain('hunter2');
  });

  it.each(['', 'a.b', 'a b', 'a\r\nb', 'é', 'x'.repeat(257)])(
    'refuses the id %j, which cannot be signed unambiguously or sent',
    async (id) => {
      await expect(signWebhook([SECRET], id, 1, BODY)).rejects.toThrow('webhook id');
    },
  );

  it.each([1.5, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses the time %d', async (time) => {
    await expect(signWebhook([SECRET], ID, time, BODY)).rejects.toThrow('whole seconds');
  });
});

const seedOf = (pair: string) =>
  `whsk_${Buffer.from(pair.slice(5), 'base64').subarray(0, 32).toString('base64')}`;

describe('Ed25519 signatures', () => {
  it('are the one that the specification publishes, by the pair and by its seed alone', async () => {
    expect(await signWebhook([PAIR], ID, 1614265330, BODY)).toBe(ASYMMETRIC);
    expect(await signWebhook([seedOf(PAIR)], ID, 1614265330, BODY)).toBe(ASYMMETRIC);
  });

  it('verify by the public key alone, and no changed message does', async () => {
    const anyBody = fc.string({ unit: 'binary' });
    await fc.assert(
      fc.asyncProperty(anyId, anyBody, async (id, body) => {
        const text = newPrivateKey();
        const publicKey = (await openSigningKey(text))?.publicKey ?? '';
        const header = await signWebhook([text], id, 7, body);
        expect(verifiesEd25519(publicKey, header, `${id}.7.${body.toWellFormed()}`)).toBe(true);
        expect(verifiesEd25519(publicKey, header, `${id}.8.${body.toWellFormed()}`)).toBe(false);
        expect(verifiesEd25519(PUBLIC, header, `${id}.7.${body.toWellFormed()}`)).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  it('stand beside shared secrets, and either kind of receiver takes them', async () => {
    const keys = [newSigningSecret(), newSigningSecret(), newPrivateKey(), newPrivateKey()];
    const seconds = Math.floor(Date.now() / 1_000);
    const header = await signWebhook(keys, ID, seconds, BODY);
    const schemes = header.split(' ').map((part) => part.split(',')[0]);
    expect(schemes).toEqual(['v1', 'v1', 'v1a', 'v1a']);
    const headers = {
      'webhook-id': ID,
      'webhook-timestamp': String(seconds),
      'webhook-signature': header,
    };
    for (const secret of keys.slice(0, 2)) {
      new Webhook(secret).verify(BODY, headers);
      new SvixWebhook(secret).verify(BODY, headers);
      expect(() => new SvixWebhook(secret).verify(`${BODY} `, headers)).toThrow('No matching');
    }
    for (const key of keys.slice(2)) {
      const opened = await openSigningKey(key);
      expect(verifiesEd25519(opened?.publicKey ?? '', header, `${ID}.${seconds}.${BODY}`)).toBe(
        true,
      );
    }
  });

  it('agree with Svix for any shared secret', async () => {
    await fc.assert(
      fc.asyncProperty(anySecret, anyId, fc.string(), async (secret, id, body) => {
        const theirs = new SvixWebhook(secret).sign(id, new Date(1_700_000_000_000), body);
        expect(await signWebhook([secret], id, 1_700_000_000, body)).toBe(theirs);
      }),
    );
  });

  it('are deterministic, as RFC 8032 has it', async () => {
    const opened = await openSigningKey(PAIR);
    const jwk = await crypto.subtle.exportKey('jwk', opened?.privateKey ?? fail());
    const { d = '', x = '' } = 'd' in jwk ? jwk : {};
    const key = { key: { kty: 'OKP', crv: 'Ed25519', d, x }, format: 'jwk' } as const;
    const content = Buffer.from(`${ID}.1614265330.${BODY}`);
    expect(`v1a,${nodeSign(null, content, key).toString('base64')}`).toBe(ASYMMETRIC);
  });
});

function fail(): never {
  throw new Error('the key did not open');
}

describe('openSigningKey', () => {
  it('tells the public key', async () => {
    expect((await openSigningKey(PAIR))?.publicKey).toBe(PUBLIC);
    expect((await openSigningKey(seedOf(PAIR)))?.publicKey).toBe(PUBLIC);
  });

  it.each([
    ['nothing', ''],
    ['a shared secret', SECRET],
    ['a public key', PUBLIC],
    ['31 bytes', `whsk_${Buffer.alloc(31).toString('base64')}`],
    ['48 bytes', `whsk_${Buffer.alloc(48).toString('base64')}`],
    ['a public key that is not of the seed', PAIR.replace('lX0d', 'laaa')],
    ['lost padding', seedOf(PAIR).replace('=', '')],
    ['a space', ` ${PAIR}`],
  ])('refuses %s', async (_what, text) => {
    expect(await openSigningKey(text)).toBeNull();
  });

  it('makes keys that differ, open, and are told from secrets', async () => {
    const made = Array.from({ length: 20 }, newPrivateKey);
    expect(new Set(made).size).toBe(20);
    for (const key of made) {
      expect(isPrivateKey(key)).toBe(true);
      expect(isSigningSecret(key)).toBe(false);
      expect((await openSigningKey(key))?.publicKey).toMatch(/^whpk_[A-Za-z0-9+/]{43}=$/);
    }
  });
});

describe('isSigningSecret', () => {
  it('takes keys of 24 to 64 bytes and no others', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(isSigningSecret(secretOf(bytes))).toBe(bytes.length >= 24 && bytes.length <= 64);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['no prefix', SECRET.slice(6)],
    ['another prefix', SECRET.replace('whsec_', 'whpk_')],
    ['a space before it', ` ${SECRET}`],
    ['a line break after it', `${SECRET}\n`],
    ['a space inside', SECRET.replace('9', ' 9')],
    ['base64url letters', `whsec_${'-_'.repeat(16)}`],
    ['lost padding', secretOf(new Uint8Array(32)).replace('=', '')],
    ['bits beyond the last byte', secretOf(new Uint8Array(32)).replace('A=', 'B=')],
    ['letters beyond Latin-1', `whsec_${'ж'.repeat(32)}`],
  ])('refuses %s', (_what, text) => {
    expect(isSigningSecret(text)).toBe(false);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(isSigningSecret(`whsec_${text}`)).toBeTypeOf('boolean');
      }),
    );
  });
});

describe('newSigningSecret', () => {
  it('makes valid secrets of 32 bytes that differ', () => {
    const secrets = Array.from({ length: 50 }, newSigningSecret);
    expect(new Set(secrets).size).toBe(50);
    for (const secret of secrets) {
      expect(isSigningSecret(secret)).toBe(true);
      expect(Buffer.from(secret.slice(6), 'base64')).toHaveLength(32);
    }
  });
});

describe('hmacSha256', () => {
  it.each([
    [
      '0b'.repeat(20),
      Buffer.from('Hi There').toString('hex'),
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    ],
    [
      Buffer.from('Jefe').toString('hex'),
      Buffer.from('what do ya want for nothing?').toString('hex'),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    [
      'aa'.repeat(131),
      Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First').toString('hex'),
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    ],
  ])('reproduces RFC 4231 for the key %s', async (key, data, mac) => {
    const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
    expect(Buffer.from(await hmacSha256(bytes(key), bytes(data))).toString('hex')).toBe(mac);
  });
});
