/** Mail by an API that speaks Resend's protocol, over real HTTP, and misbehaves. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Mailbox } from '../../src/contract/mail.ts';
import { resendEmail } from '../../src/ports/email-resend.ts';
import type { Email, PortCall } from '../../src/ports/index.ts';
import { callOf, emailConformance } from '../fixtures/email-conformance.ts';
import { openResend, RESEND_KEY, type StandInResend } from '../fixtures/vendors/resend.ts';
import type { Fault } from '../fixtures/vendors/vendor-server.ts';

const FROM: Mailbox = { name: 'Orders', address: 'orders@shop.example.com' };
const EMAIL: Email = { to: ['ada@example.com'], subject: 'Order 1042', text: 'Thank you.' };

let resend: StandInResend;
beforeAll(async () => {
  resend = await openResend();
});
afterAll(() => resend.close());
beforeEach(() => {
  resend.mails.length = 0;
  resend.requests.length = 0;
});

const open = (apiKey = RESEND_KEY, unsubscribe?: string, from = FROM) =>
  resendEmail({ apiKey, from, unsubscribe, origin: resend.origin }, { fetch });
const send = (call: PortCall = callOf(), apiKey?: string) => open(apiKey).send(call, EMAIL);

emailConformance('the adapter for Resend', {
  open: (unsubscribe) => open(RESEND_KEY, unsubscribe),
  sent: async () =>
    resend.mails.map(({ from, to, subject, text = null, html = null, headers = {} }) => ({
      ...{ from, to, subject, text, html, headers },
    })),
});

describe('an attempt that is made again', () => {
  const lost: Fault['kind'][] = [
    'silentAfter',
    'droppedAfter',
    'halfAfter',
    'garbageAfter',
    'hugeAfter',
  ];
  it.each(lost)('after an answer that was lost (%s) comes once', async (kind) => {
    resend.fail(kind);
    const call = callOf({ timeoutMs: 300 });
    const first = await send(call);
    expect(first).toMatchObject({ kind: 'failed', retryable: true });
    expect(await send({ ...call, timeoutMs: 5_000 })).toMatchObject({ kind: 'succeeded' });
    expect(resend.mails).toHaveLength(1);
    const ids = resend.requests.map(({ headers }) => headers['idempotency-key']);
    expect(ids).toEqual([call.idempotencyKey, call.idempotencyKey]);
    expect(new Set(resend.requests.map(({ body }) => body)).size).toBe(1);
  });

  it('with other content is a question, and is not sent', async () => {
    const call = callOf();
    await send(call);
    const other = await open().send(call, { ...EMAIL, subject: 'Another' });
    expect(other).toMatchObject({ kind: 'unknown', error: { code: 'outcome_unknown' } });
    expect(resend.mails).toHaveLength(1);
  });
});

describe('what Resend answers', () => {
  const problem = (status: number, name: string, headers = {}): Fault => ({
    kind: 'answer',
    answer: { status, headers, body: { statusCode: status, name, message: `Because of ${name}.` } },
  });
  const later = { retryable: true };
  const never = { retryable: false, retryAfterMs: null };

  it.each<[string, Fault | Fault['kind'], object]>([
    [
      '409 of requests at once',
      problem(409, 'concurrent_idempotent_requests'),
      { error: { code: 'vendor_busy' }, ...later },
    ],
    ['422', problem(422, 'missing_required_field'), { error: { code: 'email_refused' }, ...never }],
    [
      '429 with Retry-After',
      problem(429, 'rate_limit_exceeded', { 'retry-after': '7' }),
      { error: { code: 'rate_limited' }, ...later, retryAfterMs: 7_000 },
    ],
    [
      '429 without',
      problem(429, 'rate_limit_exceeded'),
      { error: { code: 'rate_limited' }, ...later, retryAfterMs: null },
    ],
    [
      '429 of a quota',
      problem(429, 'daily_quota_exceeded'),
      { error: { code: 'quota_exceeded' }, ...later, retryAfterMs: 3_600_000 },
    ],
    ['451', problem(451, 'security_error'), { error: { code: 'email_refused' }, ...never }],
    ['500', problem(500, 'application_error'), { error: { code: 'vendor_failed' }, ...later }],
    [
      '503 without JSON',
      { kind: 'answer', answer: { status: 503, body: 'down' } },
      { error: { code: 'vendor_failed' }, ...later },
    ],
    [
      '404 without JSON',
      { kind: 'answer', answer: { status: 404, body: 'what?' } },
      { error: { code: 'email_refused' }, ...never },
    ],
    ['nothing', 'silent', { error: { code: 'timeout' }, ...later }],
    ['a broken connection', 'dropped', { error: { code: 'connection_failed' }, ...later }],
    ['half an answer', 'halfAfter', { error: { code: 'connection_failed' }, ...later }],
    ['garbage', 'garbageAfter', { error: { code: 'answer_unreadable' }, ...later }],
    ['two megabytes', 'hugeAfter', { error: { code: 'answer_unreadable' }, ...later }],
    ['a redirect', 'redirect', { error: { code: 'redirect_refused' }, ...never }],
  ])('%s', async (_what, fault, expected) => {
    resend.fail(fault);
    const outcome = await send(callOf({ timeoutMs: fault === 'silent' ? 300 : 5_000 }));
    expect(outcome).toMatchObject({ kind: 'failed', ...expected });
    expect(resend.requests).toHaveLength(1);
  });

  it('a wrong key, which no attempt mends', async () => {
    expect(await send(callOf(), 're_wrong_0123456789')).toMatchObject({
      error: { code: 'credential_refused', message: expect.stringContaining('API key') },
      retryable: false,
    });
    expect(resend.mails).toEqual([]);
  });

  it('a domain that is not verified, in its own words', async () => {
    const from = { name: null, address: 'orders@other.example.com' };
    expect(await open(RESEND_KEY, undefined, from).send(callOf(), EMAIL)).toMatchObject({
      error: {
        code: 'credential_refused',
        message: 'Resend refused the sender: The other.example.com domain is not verified.',
      },
    });
  });

  it('nobody at all', async () => {
    const nobody = { apiKey: RESEND_KEY, from: FROM, unsubscribe: undefined };
    const port = resendEmail({ ...nobody, origin: 'http://127.0.0.1:1' }, { fetch });
    expect(await port.send(callOf(), EMAIL)).toMatchObject({
      error: { code: 'connection_failed' },
      retryable: true,
    });
  });
});

describe('the key', () => {
  it('is in no outcome, even where Resend repeats it', async () => {
    const said = `The key ${RESEND_KEY}\r\nis bad`;
    const body = { statusCode: 422, name: 'validation_error', message: said };
    resend.fail({ kind: 'answer', answer: { status: 422, body } });
    const outcomes = [await send(), await send(callOf(), RESEND_KEY)];
    expect(JSON.stringify(outcomes)).not.toContain(RESEND_KEY);
    expect(outcomes[0]).toMatchObject({
      error: { message: 'Resend did not take the mail: The key … is bad' },
    });
  });

  it('goes to Resend alone, in a header', async () => {
    await send();
    const [request] = resend.requests;
    expect(request?.headers.authorization).toBe(`Bearer ${RESEND_KEY}`);
    expect(`${request?.path}${request?.query}${request?.body}`).not.toContain(RESEND_KEY);
  });
});
