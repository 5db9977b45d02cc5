/**
 * A refund at Shopify: what is left of the order by its payments, which of them give how much back,
 * and the mutation. Never twice: the refund's note carries our key and is looked for first, since
 * Shopify's own idempotency keys last 24 hours.
 * https://shopify.dev/docs/api/admin-graphql/latest/mutations/refundCreate
 */
import * as z from 'zod';
import type { Money } from '../contract/json.ts';
import { currencyCode, decimalToMinor, minorToDecimal, moneyText } from '../currency.ts';
import type { Outcome } from '../engine/plan.ts';
import { derivedUuid } from './derived-id.ts';
import { type CommercePort, failed, type PortCall, succeeded, unknown } from './index.ts';
import { askShopify, type ShopifyShop, userErrors, userErrorsOutcome } from './shopify-admin.ts';
import { marked, markOf, numericId } from './shopify-ids.ts';
import type { Asking } from './vendor-http.ts';

/** More payments than this are not summed up, so that nothing is summed up in part. */
const TRANSACTIONS_MAX = 100;

const presentment = z
  .object({ presentmentMoney: z.object({ amount: z.string(), currencyCode }) })
  .transform(({ presentmentMoney }, ctx): Money => {
    const { amount: text, currencyCode: currency } = presentmentMoney;
    const amount = decimalToMinor(text, currency);
    if (amount !== null) return { amount, currency };
    ctx.addIssue({ code: 'custom', message: `not an amount of ${currency}` });
    return z.NEVER;
  });

const transaction = z.object({
  id: z.string(),
  kind: z.string(),
  status: z.string(),
  gateway: z.string().nullish(),
  amountSet: presentment,
  parentTransaction: z.object({ id: z.string() }).nullish(),
});

const refund = z.object({
  id: z.string(),
  note: z.string().nullish(),
  totalRefundedSet: presentment,
});

const refundableOrder = z.object({
  id: z.string(),
  presentmentCurrencyCode: currencyCode,
  totalRefundedSet: presentment,
  refunds: z.array(refund),
  transactions: z.array(transaction),
});
type RefundableOrder = z.infer<typeof refundableOrder>;

const READ = `query RefundableOrder($id: ID!) {
  order(id: $id) {
    id presentmentCurrencyCode
    totalRefundedSet { presentmentMoney { amount currencyCode } }
    refunds(first: ${TRANSACTIONS_MAX}) {
      id note totalRefundedSet { presentmentMoney { amount currencyCode } }
    }
    transactions(first: ${TRANSACTIONS_MAX}) {
      id kind status gateway
      amountSet { presentmentMoney { amount currencyCode } }
      parentTransaction { id }
    }
  }
}`;

const CREATE = `mutation CreateRefund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    order { totalRefundedSet { presentmentMoney { amount currencyCode } } }
    refund {
      id note totalRefundedSet { presentmentMoney { amount currencyCode } }
      transactions(first: 20) { nodes { status } }
    }
    userErrors { field message }
  }
}`;

const created = z.object({
  refundCreate: z.object({
    order: z.object({ totalRefundedSet: presentment }).nullish(),
    refund: refund
      .extend({ transactions: z.object({ nodes: z.array(z.object({ status: z.string() })) }) })
      .nullish(),
    userErrors,
  }),
});

export async function refundAtShopify(
  shop: ShopifyShop,
  call: PortCall,
  gid: string,
  { amount, reason }: Parameters<CommercePort['refundOrder']>[1],
  asking: Asking,
): Promise<Outcome> {
  const data = z.object({ order: refundableOrder.nullable() });
  const read = await askShopify(shop, { query: READ, variables: { id: gid }, data }, asking);
  if (!read.ok) return read.outcome;
  const { order } = read.data;
  if (order === null) return failed('order_not_found', 'The shop has no such order.');
  const done = order.refunds.find(({ note }) => marked(note, call.idempotencyKey));
  if (done !== undefined) return refunded(order.id, done, order.totalRefundedSet);
  const parts = partsOf(order, amount);
  if (!('transactions' in parts)) return parts;
  const made = await askShopify(
    shop,
    {
      query: CREATE,
      variables: {
        key: derivedUuid(call.idempotencyKey),
        input: {
          orderId: order.id,
          note: markOf(call.idempotencyKey, reason),
          notify: false,
          currency: order.presentmentCurrencyCode,
          transactions: parts.transactions,
        },
      },
      data: created,
    },
    asking,
  );
  return made.ok ? outcomeOf(shop, order, made.data.refundCreate) : keyOutcome(made.outcome);
}

function outcomeOf(
  shop: ShopifyShop,
  order: RefundableOrder,
  { order: after, refund: made, userErrors: errors }: z.infer<typeof created>['refundCreate'],
): Outcome {
  const refused = userErrorsOutcome(shop, errors);
  if (refused !== null) return keyOutcome(refused);
  if (!made)
    return failed('answer_unreadable', 'Shopify answered with neither a refund nor a reason.', {
      retryable: true,
    });
  const { nodes } = made.transactions;
  if (nodes.length > 0 && nodes.every(({ status }) => status === 'FAILURE' || status === 'ERROR'))
    return failed('refund_failed', 'The payment provider refused to give the money back.');
  return refunded(order.id, made, after?.totalRefundedSet ?? order.totalRefundedSet);
}

/**
 * The key was used with other inputs: what was left of the order has changed between two attempts,
 * and the first may have been carried out without being seen yet. A human has to look.
 */
function keyOutcome(outcome: Outcome): Outcome {
  return outcome.kind === 'failed' && /different operation parameters/i.test(outcome.error.message)
    ? unknown('Shopify has seen an earlier attempt at this refund, for another amount.')
    : outcome;
}

/** No event is caused: the shop's own webhook tells of the refund, as of one made by hand. */
function refunded(orderGid: string, made: z.infer<typeof refund>, total: Money): Outcome {
  return succeeded({
    refundId: numericId(made.id),
    orderId: numericId(orderGid),
    amount: { ...made.totalRefundedSet },
    refunded: { ...total },
  });
}

interface TransactionInput {
  readonly orderId: string;
  readonly parentId: string;
  readonly gateway: string;
  readonly kind: 'REFUND';
  /** Decimal, in the currency that the customer paid in. */
  readonly amount: string;
}

/** From which payments the money comes back; an outcome when there is not that much. */
function partsOf(
  order: RefundableOrder,
  amount: Money | undefined,
): { transactions: TransactionInput[] } | Outcome {
  const currency = order.presentmentCurrencyCode;
  if (amount !== undefined && amount.currency !== currency)
    return failed(
      'currency_mismatch',
      `The customer paid in ${currency}, and is refunded in it, not in ${amount.currency}.`,
    );
  if (order.transactions.length >= TRANSACTIONS_MAX)
    return failed('too_many_payments', 'The order has too many payments to be refunded from here.');
  const payments = paymentsOf(order);
  const left = payments.reduce((sum, { rest }) => sum + rest, 0);
  const wanted = amount?.amount ?? left;
  if (left <= 0) return failed('nothing_to_refund', 'All that was paid is refunded already.');
  if (wanted > left)
    return failed(
      'refund_exceeds_total',
      `No more than ${moneyText({ amount: left, currency })} of the order can be refunded.`,
    );
  let open = wanted;
  const transactions: TransactionInput[] = [];
  for (const { id, gateway, rest } of payments) {
    const part = Math.min(open, rest);
    if (part <= 0) continue;
    open -= part;
    transactions.push({
      orderId: order.id,
      parentId: id,
      gateway,
      kind: 'REFUND',
      amount: minorToDecimal({ amount: part, currency }),
    });
  }
  return { transactions };
}

/** What came in, each with what has not gone back of it. Refunds under way count as gone. */
function paymentsOf({ transactions }: RefundableOrder) {
  const is = (kinds: string[], statuses: string[]) =>
    transactions.filter(({ kind, status }) => kinds.includes(kind) && statuses.includes(status));
  const payments = is(['SALE', 'CAPTURE'], ['SUCCESS']);
  const back = is(['REFUND', 'CHANGE'], ['SUCCESS', 'PENDING', 'AWAITING_RESPONSE']);
  const sum = (list: readonly z.infer<typeof transaction>[]) =>
    list.reduce((total, { amountSet }) => total + amountSet.amount, 0);
  const isOf = (id: string) => (one: z.infer<typeof transaction>) =>
    one.parentTransaction?.id === id;
  const ids = new Set(payments.map(({ id }) => id));
  /** Given back without naming a payment of ours: taken from the first that have it. */
  let loose = sum(back.filter((one) => !ids.has(one.parentTransaction?.id ?? '')));
  return payments.map(({ id, gateway, amountSet }) => {
    const unrefunded = Math.max(amountSet.amount - sum(back.filter(isOf(id))), 0);
    const taken = Math.min(loose, unrefunded);
    loose -= taken;
    return { id, gateway: gateway ?? '', rest: unrefunded - taken };
  });
}
