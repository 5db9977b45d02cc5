/**
 * A refund at Shopify. Never twice: the refund's note carries our key and is looked for first, since
 * Shopify's own idempotency keys last 24 hours.
 * https://shopify.dev/docs/api/admin-graphql/latest/mutations/refundCreate,
 * https://shopify.dev/docs/api/usage/implementing-idempotency
 */
import * as z from 'zod';
import type { Money } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import type { Outcome } from '../engine/plan.ts';
import { derivedUuid } from './derived-id.ts';
import { type CommercePort, failed, type PortCall, succeeded, unknown } from './index.ts';
import {
  askShopify,
  noSuchOrder,
  type ShopifyShop,
  userErrors,
  userErrorsOutcome,
} from './shopify-admin.ts';
import { marked, markOf, numericId } from './shopify-ids.ts';
import {
  LISTED_MAX,
  partsOf,
  presentment,
  type RefundableOrder,
  refundableOrder,
  type TransactionInput,
} from './shopify-refund-parts.ts';
import { type Asking, inDoubt, unreadableOutcome } from './vendor-http.ts';

type Refund = Parameters<CommercePort['refundOrder']>[1];

const MONEY = '{ presentmentMoney { amount currencyCode } }';
const REFUND = `id totalRefundedSet ${MONEY} transactions(first: 20) { nodes { status } }`;

const madeRefund = later(() =>
  z.object({
    id: z.string(),
    totalRefundedSet: presentment,
    transactions: z.object({ nodes: z.array(z.object({ status: z.string() })) }),
  }),
);
type MadeRefund = z.infer<typeof madeRefund>;

const READ_ORDER = `query RefundableOrder($id: ID!) {
  order(id: $id) {
    id presentmentCurrencyCode totalRefundedSet ${MONEY}
    refunds(first: ${LISTED_MAX}) { id note }
    transactions(first: ${LISTED_MAX}) {
      id kind status gateway amountSet ${MONEY} parentTransaction { id }
    }
  }
}`;

const READ_REFUND = `query MadeRefund($id: ID!) { refund(id: $id) { ${REFUND} } }`;

const CREATE = `mutation CreateRefund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    order { totalRefundedSet ${MONEY} } refund { ${REFUND} } userErrors { field message }
  }
}`;

const created = later(() =>
  z.object({
    refundCreate: z.object({
      order: z.object({ totalRefundedSet: presentment }).nullish(),
      refund: madeRefund.nullish(),
      userErrors,
    }),
  }),
);

export async function refundAtShopify(
  shop: ShopifyShop,
  call: PortCall,
  gid: string,
  refund: Refund,
  asking: Asking,
): Promise<Outcome> {
  const data = z.object({ order: refundableOrder.nullable() });
  const read = await askShopify(shop, { query: READ_ORDER, variables: { id: gid }, data }, asking);
  if (!read.ok) return read.outcome;
  const { order } = read.data;
  if (order === null) return noSuchOrder();
  const done = order.refunds.find(({ note }) => marked(note, call.idempotencyKey));
  if (done !== undefined) return await readRefund(shop, order, done.id, asking);
  const parts = partsOf(order, refund.amount);
  if (!('transactions' in parts)) return parts;
  return await createRefund(shop, call, order, parts.transactions, refund.reason, asking);
}

/** One that an earlier attempt made: whether the money moved is asked, not taken for granted. */
async function readRefund(
  shop: ShopifyShop,
  order: RefundableOrder,
  id: string,
  asking: Asking,
): Promise<Outcome> {
  const data = z.object({ refund: madeRefund.nullable() });
  const read = await askShopify(shop, { query: READ_REFUND, variables: { id }, data }, asking);
  if (!read.ok) return inDoubt(read.outcome);
  const { refund } = read.data;
  return refund === null
    ? inDoubt(unreadableOutcome('Shopify'))
    : refunded(order.id, refund, order.totalRefundedSet);
}

/**
 * Where Shopify says of a key that its request has failed for good, that refund was not made, and a
 * key that was not used is asked for; so each attempt may go one key further.
 */
const KEYS_MAX = 3;

async function createRefund(
  shop: ShopifyShop,
  { idempotencyKey }: PortCall,
  order: RefundableOrder,
  transactions: readonly TransactionInput[],
  reason: string | undefined,
  asking: Asking,
): Promise<Outcome> {
  const input = {
    orderId: order.id,
    note: markOf(idempotencyKey, reason),
    notify: false,
    currency: order.presentmentCurrencyCode,
    transactions,
  };
  for (let nth = 1; nth <= KEYS_MAX; nth += 1) {
    const key = derivedUuid(nth === 1 ? idempotencyKey : `${idempotencyKey} ${nth}`);
    const operation = { query: CREATE, variables: { key, input }, data: created };
    const made = await askShopify(shop, operation, asking);
    const outcome = made.ok ? outcomeOf(shop, order, made.data.refundCreate) : made.outcome;
    if (!says(outcome, KEY_FAILED)) return says(outcome, KEY_DIFFERS) ? keyDiffers() : outcome;
  }
  return unknown('Shopify says of several attempts at this refund that they failed.');
}

const KEY_FAILED = /previous request with this idempotency key failed|PREVIOUS_ATTEMPT_FAILED/i;
const KEY_DIFFERS = /different operation parameters|KEY_PARAMETER_MISMATCH/i;

function says(outcome: Outcome, words: RegExp): boolean {
  return outcome.kind === 'failed' && words.test(outcome.error.message);
}

/**
 * What was left of the order has changed between two attempts, and the first may have been carried
 * out without being seen yet. A human has to look.
 */
function keyDiffers(): Outcome {
  return unknown(
    'Shopify has seen an earlier attempt at this refund, for another amount, and takes no other under its key for 24 hours.',
  );
}

function outcomeOf(
  shop: ShopifyShop,
  order: RefundableOrder,
  { order: after, refund, userErrors: errors }: z.infer<typeof created>['refundCreate'],
): Outcome {
  const refused = userErrorsOutcome(shop, errors);
  if (refused !== null) return refused;
  if (!refund) return inDoubt(unreadableOutcome('Shopify'));
  return refunded(order.id, refund, after?.totalRefundedSet ?? order.totalRefundedSet);
}

/** No event is caused: the shop's own webhook tells of the refund, as of one made by hand. */
function refunded(orderGid: string, made: MadeRefund, total: Money): Outcome {
  const statuses = made.transactions.nodes.map(({ status }) => status);
  const did = (status: string) => status !== 'FAILURE' && status !== 'ERROR';
  if (statuses.length > 0 && !statuses.some(did))
    return failed(
      'refund_failed',
      `The refund ${numericId(made.id)} is there, but the payment provider refused to give the money back.`,
    );
  return succeeded({
    refundId: numericId(made.id),
    orderId: numericId(orderGid),
    amount: { ...made.totalRefundedSet },
    refunded: { ...total },
    status: statuses.every((status) => status === 'SUCCESS') ? 'succeeded' : 'pending',
  });
}
