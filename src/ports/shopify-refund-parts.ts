/**
 * From which payments of an order a refund comes: each gives back no more than it has left. No I/O.
 * Amounts are in the currency that the customer paid in (Shopify's "presentment" currency).
 * https://shopify.dev/docs/api/admin-graphql/latest/objects/OrderTransaction
 */
import * as z from 'zod';
import type { Money } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { currencyCode, decimalToMinor, minorToDecimal, moneyText } from '../currency.ts';
import type { Outcome } from '../engine/plan.ts';
import { failed } from './index.ts';

/** More payments or refunds than this are not read, so that nothing is summed up in part. */
export const LISTED_MAX = 50;

/** An amount as Shopify's MoneyBag has it, in minor units. */
export const presentment = later(() =>
  z
    .object({ presentmentMoney: z.object({ amount: z.string(), currencyCode }) })
    .transform(({ presentmentMoney }, ctx): Money => {
      const { amount: text, currencyCode: currency } = presentmentMoney;
      const amount = decimalToMinor(text, currency);
      if (amount !== null) return { amount, currency };
      ctx.addIssue({ code: 'custom', message: `not an amount of ${currency}` });
      return z.NEVER;
    }),
);

const transaction = later(() =>
  z.object({
    id: z.string(),
    kind: z.string(),
    status: z.string(),
    gateway: z.string().nullish(),
    amountSet: presentment,
    parentTransaction: z.object({ id: z.string() }).nullish(),
  }),
);

export const refundableOrder = later(() =>
  z.object({
    id: z.string(),
    presentmentCurrencyCode: currencyCode,
    totalRefundedSet: presentment,
    refunds: z.array(z.object({ id: z.string(), note: z.string().nullish() })),
    transactions: z.array(transaction),
  }),
);
export type RefundableOrder = z.infer<typeof refundableOrder>;

export interface TransactionInput {
  readonly orderId: string;
  readonly parentId: string;
  readonly gateway: string;
  readonly kind: 'REFUND';
  readonly amount: string;
}

/** From which payments the money comes back, all that is left without an amount; or why it cannot. */
export function partsOf(
  order: RefundableOrder,
  amount: Money | undefined,
): { transactions: TransactionInput[] } | Outcome {
  const currency = order.presentmentCurrencyCode;
  if (amount !== undefined && amount.currency !== currency)
    return failed(
      'currency_mismatch',
      `The customer paid in ${currency}, and is refunded in it, not in ${amount.currency}.`,
    );
  if (order.transactions.length >= LISTED_MAX || order.refunds.length >= LISTED_MAX)
    return failed(
      'too_many_payments',
      `The order has ${LISTED_MAX} payments or refunds: refund it in Shopify.`,
    );
  const payments = paymentsOf(order);
  const left = payments.reduce((sum, { rest }) => sum + rest, 0);
  if (left <= 0) return failed('nothing_to_refund', 'All that was paid is refunded already.');
  const wanted = amount?.amount ?? left;
  if (wanted > left)
    return failed(
      'refund_exceeds_total',
      `No more than ${moneyText({ amount: left, currency })} of the order can be refunded.`,
    );
  return { transactions: spread(order, payments, wanted) };
}

type Payment = ReturnType<typeof paymentsOf>[number];

/** The first payments give first. */
function spread(
  { id: orderId, presentmentCurrencyCode: currency }: RefundableOrder,
  payments: readonly Payment[],
  wanted: number,
): TransactionInput[] {
  let open = wanted;
  return payments.flatMap(({ id: parentId, gateway, rest }) => {
    const amount = Math.min(open, rest);
    open -= amount;
    const decimal = minorToDecimal({ amount, currency });
    return amount > 0
      ? [{ orderId, parentId, gateway, kind: 'REFUND' as const, amount: decimal }]
      : [];
  });
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
