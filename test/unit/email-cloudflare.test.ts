/** Mail by a binding that keeps to Cloudflare's documentation: what its errors mean, what nobody knows. */
import { describe, expect, it } from 'vitest';
import { cloudflareEmail } from '../../src/ports/email-cloudflare.ts';
import type { Email } from '../../src/ports/index.ts';
import { callOf, emailConformance } from '../fixtures/email-conformance.ts';
import { type BindingMail, openBinding } from '../fixtures/vendors/cloudflare-email.ts';

const FROM = { name: 'Orders', address: 'orders@shop.example.com' };
const EMAIL: Email = { to: ['ada@example.com'], subject: 'Order 1042', text: 'Thank you.' };

const shared = openBinding();
const partyText = (party: BindingMail['from']) => {
  if (typeof party === 'string') return party;
  const name = /^[^,]*$/.test(party.name) ? party.name : `"${party.name}"`;
  return `${name} <${party.email}>`;
};

emailConformance("the adapter for Cloudflare's binding", {
  open: (unsubscribe) => cloudflareEmail({ binding: shared, from: FROM, unsubscribe }),
  sent: async () =>
    shared.mails.map(({ from, to, subject, text = null, html = null, headers = {} }) => ({
      ...{ from: partyText(from), to: to.map(partyText), subject, text, html, headers },
    })),
});

async function failing(code: string | null, to = EMAIL.to) {
  const binding = openBinding();
  binding.fail({ code });
  const port = cloudflareEmail({ binding, from: FROM, unsubscribe: undefined });
  return await port.send(callOf(), { ...EMAIL, to });
}

describe('an error', () => {
  it.each(['E_SENDER_NOT_VERIFIED', 'E_SENDER_DOMAIN_NOT_AVAILABLE'])(
    '%s is the domain',
    async (code) => {
      expect(await failing(code)).toMatchObject({
        error: { code: 'credential_refused', message: expect.stringContaining('onboarded') },
        retryable: false,
      });
    },
  );

  it.each([
    ...['E_VALIDATION_ERROR', 'E_FIELD_MISSING', 'E_TOO_MANY_RECIPIENTS', 'E_CONTENT_TOO_LARGE'],
    ...['E_RECIPIENT_NOT_ALLOWED', 'E_RECIPIENT_SUPPRESSED', 'E_DELIVERY_FAILED'],
    ...['E_HEADER_NOT_ALLOWED', 'E_HEADERS_TOO_LARGE'],
  ])('%s is the mail itself', async (code) => {
    expect(await failing(code)).toMatchObject({
      kind: 'failed',
      error: { code: 'email_refused', message: expect.stringContaining(code) },
      retryable: false,
    });
  });

  it('about limits is worth another attempt', async () => {
    expect(await failing('E_RATE_LIMIT_EXCEEDED')).toMatchObject({
      error: { code: 'rate_limited' },
      retryable: true,
    });
    expect(await failing('E_DAILY_LIMIT_EXCEEDED')).toMatchObject({
      error: { code: 'quota_exceeded' },
      retryable: true,
      retryAfterMs: 3_600_000,
    });
  });

  it.each(['E_INTERNAL_SERVER_ERROR', 'E_SOMETHING_NEW', 'not a code', null])(
    '%s may come after the mail: a person is asked',
    async (code) => {
      expect(await failing(code)).toMatchObject({
        kind: 'unknown',
        error: { code: 'outcome_unknown' },
      });
    },
  );

  it('about one of several recipients does not say whom the mail reached', async () => {
    const several = ['ada@example.com', 'bob@example.com'];
    expect(await failing('E_DELIVERY_FAILED', several)).toMatchObject({ kind: 'unknown' });
  });
});

it('no answer in time is a question', async () => {
  const binding = openBinding();
  binding.fail({ silent: true });
  const port = cloudflareEmail({ binding, from: FROM, unsubscribe: undefined });
  expect(await port.send(callOf({ timeoutMs: 50 }), EMAIL)).toMatchObject({
    kind: 'unknown',
    error: { message: expect.stringContaining('in time') },
  });
});

it('a domain that is not onboarded is said so by the binding', async () => {
  const binding = openBinding(['other.example.com']);
  const port = cloudflareEmail({ binding, from: FROM, unsubscribe: undefined });
  expect(await port.send(callOf(), EMAIL)).toMatchObject({ error: { code: 'credential_refused' } });
});
