/**
 * Whether a Stripe connection works. Refunds are listed, and one is asked for of a payment that cannot
 * be: Stripe says whether the key may before it says that there is no such payment. Nothing is made.
 */
import * as z from 'zod';
import type { ConnectionCheck } from '../contract/connections.ts';
import type { Outcome } from '../engine/plan.ts';
import type { SealedConnection } from './connections.ts';
import { askStripe, type StripeAccount } from './stripe-api.ts';
import { stripeAccountOf, type VendorEnv } from './vendor-accounts.ts';
import type { Asking } from './vendor-http.ts';

/** Ids of Stripe are letters and digits after their prefix: this one will never be. */
const NO_PAYMENT = 'pi_signalbox_connection_test';

export async function checkStripe(
  env: VendorEnv,
  tenantId: string,
  connection: SealedConnection,
  asking: Asking,
): Promise<ConnectionCheck[]> {
  if (connection.secrets.apiKey === undefined) return [{ name: 'key', ok: true, detail: NO_KEY }];
  const account = await stripeAccountOf(env, tenantId, connection);
  if (typeof account === 'string') return [{ name: 'key', ok: false, detail: account }];
  const listed = await askStripe(
    account,
    { path: 'refunds', params: { limit: '1' }, data: z.object({ data: z.array(z.unknown()) }) },
    asking,
  );
  const code = listed.ok ? null : codeOf(listed.outcome);
  if (!listed.ok && code !== 'scope_missing')
    return [{ name: 'key', ok: false, detail: messageOf(listed.outcome) }];
  return [
    { name: 'key', ok: true, detail: `The key is valid${modeOf(account)}.` },
    {
      name: 'read refunds',
      ok: listed.ok,
      detail: listed.ok ? 'The key may read refunds.' : MAY_NOT_READ,
    },
    await refundCheck(account, asking),
  ];
}

const NO_KEY = 'No apiKey is set: webhooks are taken, but payments cannot be refunded at Stripe.';
const MAY_NOT_READ =
  'The key may not read refunds, which is how one that was made already is found.';

async function refundCheck(account: StripeAccount, asking: Asking): Promise<ConnectionCheck> {
  const asked = await askStripe(
    account,
    {
      path: 'refunds',
      params: { payment_intent: NO_PAYMENT },
      idempotencyKey: `connection-test-${crypto.randomUUID()}`,
      data: z.unknown(),
    },
    asking,
  );
  const name = 'make refunds';
  const code = asked.ok ? null : codeOf(asked.outcome);
  if (code === 'order_not_found')
    return { name, ok: true, detail: 'The key may make refunds, as far as Stripe tells.' };
  if (code === 'scope_missing')
    return {
      name,
      ok: false,
      detail: 'The key may not make refunds: give it write access to them.',
    };
  const said = asked.ok ? 'Stripe answered something unexpected.' : messageOf(asked.outcome);
  return { name, ok: false, detail: `It could not be told. ${said}` };
}

/** https://docs.stripe.com/keys: the mode stands in the key. */
function modeOf({ apiKey }: StripeAccount): string {
  if (/^[sr]k_live_/.test(apiKey)) return ', in live mode: refunds move real money';
  return /^[sr]k_test_/.test(apiKey) ? ', in test mode: no real money moves' : '';
}

function codeOf(outcome: Outcome): string | null {
  return outcome.kind === 'succeeded' ? null : outcome.error.code;
}

function messageOf(outcome: Outcome): string {
  return outcome.kind === 'succeeded' ? '' : outcome.error.message;
}
