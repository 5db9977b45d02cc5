/**
 * Every failure × every action × both vendors, over HTTP: what the adapter says, what the run does,
 * and that the vendor's ledger shows the effect once, however often it is asked for afterwards.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ACTION_RULES } from '../../src/actions/index.ts';
import type { JsonObject } from '../../src/contract/json.ts';
import { definition } from '../../src/contract/workflows.ts';
import { compileDefinition } from '../../src/engine/definition.ts';
import type { Outcome } from '../../src/engine/plan.ts';
import { shopifyCommerce } from '../../src/ports/commerce-shopify.ts';
import { stripeRefunds } from '../../src/ports/commerce-stripe.ts';
import type { PortCall } from '../../src/ports/index.ts';
import {
  type Circumstance,
  type Failure,
  failuresOf,
  failureTable,
  type VendorName,
} from '../fixtures/vendor-failures.ts';
import { SHOP_TOKEN, STRIPE_KEY } from '../fixtures/vendors/credentials.ts';
import { openShop, paidOrder, type StandInShop } from '../fixtures/vendors/shopify-admin.ts';
import { openStripe, type StandInStripe } from '../fixtures/vendors/stripe-api.ts';
import type { Fault, VendorRequest } from '../fixtures/vendors/vendor-server.ts';
import { note, planOf, Story } from './support/engine.ts';

type Action = 'tag.order' | 'order.refund' | 'order.cancel';

const ORDER = '9007199254740993';
const GID = `gid://shopify/Order/${ORDER}`;
const AMOUNT = { amount: 500, currency: 'USD' };
/** Nobody listens there. */
const NOBODY = 'http://127.0.0.1:1';
/** Long enough for this machine, short enough to wait for. */
const TIMEOUT_MS = 400;

let shop: StandInShop;
let stripe: StandInStripe;
beforeAll(async () => {
  shop = await openShop();
  stripe = await openStripe();
});
afterAll(async () => {
  await shop.close();
  await stripe.close();
});
beforeEach(() => {
  shop.points = 2_000;
  shop.scopes.add('read_orders').add('write_orders');
  shop.orders.clear();
  shop.orders.set(GID, paidOrder('75.00', 'USD'));
  stripe.refunds.length = 0;
  stripe.payments.length = 0;
  stripe.payments.push({ intent: 'pi_1', charge: 'ch_1', currency: 'usd', paid: 7_500 });
});

interface Way {
  readonly origin: string;
  readonly credential: string;
  readonly orderId: string;
  readonly amount: number;
}
const USUAL: Record<VendorName, () => Way> = {
  Shopify: () => ({ origin: shop.origin, credential: SHOP_TOKEN, orderId: ORDER, amount: 500 }),
  Stripe: () => ({ origin: stripe.origin, credential: STRIPE_KEY, orderId: 'pi_1', amount: 500 }),
};

/** How the work shows at the vendor. */
const LEDGER: Record<VendorName, Record<Action, () => number>> = {
  Shopify: {
    'tag.order': () => shop.orders.get(GID)?.tags.length ?? 0,
    'order.refund': () => shop.orders.get(GID)?.refunds.length ?? 0,
    'order.cancel': () => shop.orders.get(GID)?.cancellations ?? 0,
  },
  Stripe: {
    'tag.order': () => 0,
    'order.refund': () => stripe.refunds.length,
    'order.cancel': () => 0,
  },
};

async function attempt(
  vendor: VendorName,
  action: Action,
  idempotencyKey: string,
  more: Partial<Way> = {},
): Promise<Outcome> {
  const { origin, credential, orderId, amount } = { ...USUAL[vendor](), ...more };
  const now = Date.UTC(2026, 2, 2);
  const call: PortCall = { tenantId: 't', runId: 'r', idempotencyKey, timeoutMs: TIMEOUT_MS, now };
  const refund = { orderId, amount: { ...AMOUNT, amount } };
  if (vendor === 'Stripe')
    return await stripeRefunds({ apiKey: credential, origin }, { fetch }).refundOrder(call, refund);
  const of = { origin, adminToken: credential, apiVersion: '2026-10' };
  const port = shopifyCommerce(of, { fetch });
  if (action === 'tag.order') return await port.tagOrder(call, orderId, 'vip');
  if (action === 'order.refund') return await port.refundOrder(call, refund);
  return await port.cancelOrder(call, orderId, 'fraud');
}

const isChange = ({ method, path, body }: VendorRequest) =>
  path.startsWith('/v1/') ? method === 'POST' : body.includes('"mutation ');

/** The attempt that meets the circumstance; what is not changed for it alone is put right after. */
async function inCircumstance(
  circumstance: Circumstance,
  vendor: VendorName,
  action: Action,
  key: string,
): Promise<Outcome> {
  const tls = USUAL[vendor]().origin.replace('http:', 'https:');
  switch (circumstance) {
    case 'nobody listens':
      return await attempt(vendor, action, key, { origin: NOBODY });
    case 'no TLS':
      return await attempt(vendor, action, key, { origin: tls });
    case 'wrong credential':
      return await attempt(vendor, action, key, { credential: 'shpat_or_sk_wrong' });
    case 'no such order':
      return await attempt(vendor, action, key, { orderId: '12' });
    case 'no points':
      shop.points = -590;
      return await attempt(vendor, action, key).finally(() => {
        shop.points = 2_000;
      });
    case 'no scope':
      shop.scopes.delete('write_orders');
      return await attempt(vendor, action, key).finally(() => shop.scopes.add('write_orders'));
    case 'user error':
      shop.fail(userError(action, 'The order is archived.'), isChange);
      return await attempt(vendor, action, key);
    case 'key in use':
      shop.fail(userError(action, 'This request is currently in progress.'), isChange);
      return await attempt(vendor, action, key);
    case 'fault under the key':
      stripe.nextFault = 'before';
      await attempt(vendor, action, key);
      return await attempt(vendor, action, key).finally(() => stripe.forgetKeys());
    case 'other inputs under the key':
      return await withOtherInputs(vendor, action, key);
  }
}

function userError(action: Action, message: string): Fault {
  const errors = [{ field: null, message }];
  const data = {
    'tag.order': { tagsAdd: { node: null, userErrors: errors } },
    'order.refund': { refundCreate: { order: null, refund: null, userErrors: errors } },
    'order.cancel': { orderCancel: { job: null, orderCancelUserErrors: errors } },
  }[action];
  return { kind: 'answer', answer: { status: 200, body: { data } } };
}

/** The refund of other inputs was made, but somebody has written over our mark. */
async function withOtherInputs(vendor: VendorName, action: Action, key: string): Promise<Outcome> {
  await attempt(vendor, action, key, { amount: 100 });
  const made = shop.orders.get(GID)?.refunds[0];
  const note = made?.note ?? '';
  const metadata = stripe.refunds[0]?.metadata ?? {};
  if (made !== undefined) made.note = 'rewritten';
  for (const refund of stripe.refunds) refund.metadata = {};
  const outcome = await attempt(vendor, action, key);
  if (made !== undefined) made.note = note;
  for (const refund of stripe.refunds) refund.metadata = metadata;
  return outcome;
}

async function provoke(
  { how, at }: Failure,
  vendor: VendorName,
  action: Action,
  key: string,
): Promise<Outcome> {
  if (typeof how === 'string') return await inCircumstance(how, vendor, action, key);
  const server = vendor === 'Shopify' ? shop : stripe;
  server.fail(how, at === 'change' ? isChange : undefined);
  return await attempt(vendor, action, key);
}

const INPUTS: Record<Action, JsonObject> = {
  'tag.order': { orderId: ORDER, tag: 'vip' },
  'order.refund': { orderId: ORDER, amount: AMOUNT },
  'order.cancel': { orderId: ORDER },
};

/** What a run does with an outcome, in words; and what it comes to when every attempt has it. */
function runAfter(action: Action, outcome: Outcome): string {
  const steps = [{ id: 'a', action, with: INPUTS[action] }];
  const parsed = definition.parse({ name: 'T', trigger: { event: 'order.created' }, steps });
  const result = compileDefinition(parsed, ACTION_RULES);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  const story = new Story({ ...planOf([note('a')]), definition: result.compiled });
  if (story.run.status === 'pending_approval') story.vote('ann');
  const end = () => {
    const ended = {
      type: 'attempt_ended',
      stepId: 'a',
      attempt: story.step('a').attempts,
    } as const;
    story.take({ ...ended, outcome });
    return story.run.status === 'pending_approval' ? 'asks a person' : 'fails';
  };
  let last = end();
  const { nextAttemptAt } = story.step('a');
  if (nextAttemptAt === null) return last;
  const seconds = (Date.parse(nextAttemptAt) - story.now) / 1_000;
  while (story.step('a').nextAttemptAt !== null) {
    story.pass('1d').tick();
    last = end();
  }
  const { attempts } = story.step('a');
  const most = attempts === 20 ? '' : `, ${attempts} times at most`;
  return `tries again after ${seconds} s${most}; at last ${last}`;
}

let runs = 0;

describe.each(['Shopify', 'Stripe'] as const)('at %s', (vendor) => {
  const actions: Action[] =
    vendor === 'Stripe' ? ['order.refund'] : ['tag.order', 'order.refund', 'order.cancel'];
  const cases = failuresOf(vendor).flatMap((failure) =>
    actions
      .filter((action) => failure.refunds === undefined || action === 'order.refund')
      .map((action) => [action, failure.what, failure.at, failure] as const),
  );

  test.each(cases)('%s: %s, at the %s', async (action, _what, _at, failure) => {
    const key = `run_${++runs}_step`;
    const outcome = await provoke(failure, vendor, action, key);
    if (outcome.kind === 'succeeded') throw new Error('it succeeded');
    expect(outcome.error.code, outcome.error.message).toBe(failure.code);
    expect(runAfter(action, outcome)).toBe(failure.run);
    expect(outcome.error.message).toMatch(/^[A-Z][^\n]{10,250}[.?]$/);
    for (let nth = 0; nth < 4; nth += 1) {
      const later = await attempt(vendor, action, key);
      expect(later).toMatchObject({ kind: 'succeeded' });
      expect(LEDGER[vendor][action]()).toBe(1);
    }
  });

  test('docs/adapters.md has the table of it', () => {
    const page = readFileSync(new URL('../../docs/adapters.md', import.meta.url), 'utf8');
    expect(page).toContain(failureTable(vendor));
  });
});
