/** The vendors' clients in the runtime that they run in. */
import { describe, expect, it } from 'vitest';
import { shopifyCommerce } from '../../../src/ports/commerce-shopify.ts';
import { stripeRefunds } from '../../../src/ports/commerce-stripe.ts';
import type { PortCall } from '../../../src/ports/index.ts';

const CALL: PortCall = {
  tenantId: 't',
  runId: 'run_1',
  idempotencyKey: 'run_1_refund',
  timeoutMs: 5_000,
  now: Date.UTC(2026, 2, 2),
};
const NOBODY = 'http://127.0.0.1:1';
const account = { apiKey: 'sk_test_0123456789', origin: NOBODY };

/** Answers in the order of the requests; what was asked is kept. */
function answering(...bodies: object[]) {
  const asked: Request[] = [];
  const fetcher: typeof fetch = async (input, init) => {
    asked.push(new Request(input, init));
    return Response.json(bodies[asked.length - 1] ?? {});
  };
  return { asked, fetch: fetcher };
}

describe('in workerd', () => {
  it('a payment at Stripe is read, and a refund made under our key', async () => {
    const charge = { id: 'ch_1', currency: 'kwd', amount: 7_510, amount_refunded: 10 };
    const intent = { id: 'pi_1', currency: 'kwd', amount_received: 7_510, latest_charge: charge };
    const refund = { id: 're_1', currency: 'kwd', amount: 1_230, status: 'pending' };
    const vendor = answering(intent, { data: [] }, refund);
    const amount = { amount: 1_230, currency: 'KWD' };
    expect(
      await stripeRefunds(account, vendor).refundOrder(CALL, { orderId: 'pi_1', amount }),
    ).toMatchObject({
      kind: 'succeeded',
      output: { amount, refunded: { amount: 1_240, currency: 'KWD' }, status: 'pending' },
    });
    const post = vendor.asked[2];
    expect(post?.url).toBe(`${NOBODY}/v1/refunds`);
    expect(post?.redirect).toBe('manual');
    expect(post?.headers.get('idempotency-key')).toBe(CALL.idempotencyKey);
    expect(post?.headers.get('stripe-version')).toMatch(/^20\d\d-\d\d-\d\d\.[a-z]+$/);
    expect(Object.fromEntries(new URLSearchParams(await post?.text()))).toEqual({
      payment_intent: 'pi_1',
      amount: '1230',
      'metadata[signalbox_key]': CALL.idempotencyKey,
    });
  });

  it.each([
    ['Stripe', () => stripeRefunds(account, { fetch }).refundOrder(CALL, { orderId: 'pi_1' })],
    [
      'Shopify',
      () =>
        shopifyCommerce(
          { origin: NOBODY, adminToken: 'shpat_0123', apiVersion: '2026-10' },
          { fetch },
        ).refundOrder(CALL, { orderId: '1' }),
    ],
  ])('%s that cannot be reached is a failure worth another attempt', async (_vendor, attempt) => {
    expect(await attempt()).toMatchObject({
      error: { code: 'connection_failed' },
      retryable: true,
    });
  });

  it('an attempt that has no time left says so', async () => {
    const never: typeof fetch = (_input, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(new Error('aborted')));
      });
    const call = { ...CALL, timeoutMs: 50 };
    expect(
      await stripeRefunds(account, { fetch: never }).refundOrder(call, { orderId: 'pi_1' }),
    ).toMatchObject({ error: { code: 'timeout' }, retryable: true });
  });
});
