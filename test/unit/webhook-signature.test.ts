/** Webhook signatures against the published vectors and the reference library of the standard. */
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import {
  hmacSha256,
  isSigningSecret,
  newSigningSecret,
  signWebhook,
} from '../../src/ports/webhook-signature.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const BODY = '{"test": 2432232314}';
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';

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
