/** The token of an approval link: what goes in comes out, and nothing else is taken. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeApprovalToken, readApprovalToken } from '../../src/objects/approval-link.ts';

const SECRET = 'a-secret-of-the-worker-0123456789abcdef';
const NOW = Date.parse('2026-01-31T12:00:00.000Z');
const link = {
  tenantId: 'north-store',
  runId: 'run_019a6b3c5d7e7f8091a2b3c4d5e6f708',
  approvalId: 'apr_019a6b3c5d7e7f8091a2b3c4d5e6f708-1',
  memberId: 'mem_019a6b3c5d7e7f8091a2b3c4d5e6f708',
  inputHash: '0123456789abcdef'.repeat(4),
  expiresAt: '2026-02-03T12:00:00.000Z',
};
const token = await makeApprovalToken(SECRET, link);

describe('an approval token', () => {
  it('says what was put into it, until it expires', async () => {
    expect(await readApprovalToken(SECRET, token, NOW)).toEqual({ ok: true, link });
    const end = Date.parse(link.expiresAt);
    expect(await readApprovalToken(SECRET, token, end - 1)).toMatchObject({ ok: true });
    expect(await readApprovalToken(SECRET, token, end)).toEqual({ ok: false, why: 'expired' });
  });

  it('goes into a path as it is, and is made the same each time', async () => {
    expect(token).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/);
    expect(await makeApprovalToken(SECRET, link)).toBe(token);
  });

  it('is refused with any one character changed to any other', async () => {
    const characters = fc.constantFrom(
      ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= ',
    );
    for (let index = 0; index < token.length; index += 1)
      for (const other of fc.sample(characters, 4)) {
        if (other === token[index]) continue;
        const changed = token.slice(0, index) + other + token.slice(index + 1);
        expect(await readApprovalToken(SECRET, changed, NOW)).toEqual({ ok: false, why: 'wrong' });
      }
  });

  it('is refused in its other spellings: the last character of a signature has spare bits', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (const last of alphabet) {
      const { ok } = await readApprovalToken(SECRET, token.slice(0, -1) + last, NOW);
      expect(ok).toBe(last === token.at(-1));
    }
  });

  it('is refused when shortened, lengthened or put together from two', async () => {
    const other = await makeApprovalToken(SECRET, { ...link, memberId: 'mem_other' });
    const mixed = `${other.split('.')[0]}.${token.split('.')[1]}`;
    for (const text of [token.slice(1), token.slice(0, -1), `${token}A`, `${token}.`, mixed, ''])
      expect(await readApprovalToken(SECRET, text, NOW)).toEqual({ ok: false, why: 'wrong' });
  });

  it('is refused under another secret', async () => {
    expect(await readApprovalToken(`${SECRET}x`, token, NOW)).toEqual({ ok: false, why: 'wrong' });
  });

  it('never throws, whatever text comes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 600, unit: 'binary' }), async (text) => {
        expect(await readApprovalToken(SECRET, text, NOW)).toEqual({ ok: false, why: 'wrong' });
      }),
    );
  });
});
