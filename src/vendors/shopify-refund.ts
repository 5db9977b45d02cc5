/**
 * How much a Shopify refund gives back. The Refund resource has no total: it has the transactions
 * that move money and, beside them, what was booked. Only the former are money: goods that are put
 * back, or taken off an order that was not paid, are a refund without any.
 * https://shopify.dev/docs/api/admin-rest/latest/resources/refund, and `totalRefundedSet` of
 * https://shopify.dev/docs/api/admin-graphql/latest/objects/Refund
 */
import * as z from 'zod';
import type { Money } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { currencyCode, decimalToMinor } from '../currency.ts';
import { moneyAt, optionalText, vendorId } from './translation.ts';

/** No more of it is read than the currency. */
const booked = later(() =>
  z
    .object({ shop_money: z.object({ currency_code: currencyCode }) })
    .nullish()
    .catch(null),
);

const transaction = later(() =>
  z.object({
    kind: z.string(),
    status: z.string(),
    amount: z.string(),
    currency: currencyCode,
  }),
);

const fields = later(() =>
  z.object({
    id: vendorId,
    order_id: vendorId,
    note: optionalText,
    created_at: optionalText,
    transactions: z.array(transaction).nullish(),
    refund_line_items: z.array(z.object({ subtotal_set: booked })).nullish(),
    refund_shipping_lines: z.array(z.object({ subtotal_amount_set: booked })).nullish(),
    order_adjustments: z.array(z.object({ amount_set: booked })).nullish(),
  }),
);
type Refund = z.infer<typeof fields>;

/** A refunds/create body; `amount` is what is given back, by refunds that succeeded or are under way. */
export const refundBody = later(() =>
  fields.transform((refund, ctx) => ({
    ...refund,
    amount: sum(ctx, refund),
  })),
);

/** No second webhook tells that a refund which is under way has come through. */
const GIVEN = ['success', 'pending'];

function sum(ctx: z.RefinementCtx, refund: Refund): Money {
  const transactions = refund.transactions ?? [];
  const currency = transactions[0]?.currency ?? bookedCurrency(refund);
  if (currency === undefined) {
    ctx.addIssue({ code: 'custom', path: ['transactions'], message: 'no amount and no currency' });
    return z.NEVER;
  }
  let amount = 0;
  for (const [index, one] of transactions.entries()) {
    const minor = one.currency === currency ? decimalToMinor(one.amount, currency) : null;
    const part = moneyAt(ctx, ['transactions', index, 'amount'], minor, currency).amount;
    if (one.kind === 'refund' && GIVEN.includes(one.status)) amount += part;
  }
  return { amount, currency };
}

function bookedCurrency(refund: Refund): string | undefined {
  const sets = [
    ...(refund.refund_line_items ?? []).map(({ subtotal_set: set }) => set),
    ...(refund.refund_shipping_lines ?? []).map(({ subtotal_amount_set: set }) => set),
    ...(refund.order_adjustments ?? []).map(({ amount_set: set }) => set),
  ];
  return sets.find((set) => set)?.shop_money.currency_code;
}
