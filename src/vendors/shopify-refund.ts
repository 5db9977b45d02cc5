/**
 * How much a Shopify refund gave back. The Refund resource has no total: it has the transactions
 * that moved money and, beside them, what was booked (line items, and adjustments for shipping
 * and discrepancies). https://shopify.dev/docs/api/admin-rest/latest/resources/refund
 */
import * as z from 'zod';
import type { Money } from '../contract/json.ts';
import { currencyCode, decimalToMinor } from '../currency.ts';
import { moneyAt, optionalText, vendorId } from './translation.ts';

const shopMoney = z.object({
  shop_money: z.object({ amount: z.string(), currency_code: currencyCode }),
});

const transaction = z.object({
  kind: z.string(),
  status: z.string(),
  amount: z.string(),
  currency: currencyCode,
});

const fields = z.object({
  id: vendorId,
  order_id: vendorId,
  note: optionalText,
  created_at: optionalText,
  transactions: z.array(transaction).nullish(),
  refund_line_items: z
    .array(z.object({ subtotal_set: shopMoney.nullish(), total_tax_set: shopMoney.nullish() }))
    .nullish(),
  order_adjustments: z
    .array(z.object({ amount_set: shopMoney.nullish(), tax_amount_set: shopMoney.nullish() }))
    .nullish(),
});
type Refund = z.infer<typeof fields>;

/** One amount of the sum: weight 0 tells the currency only. */
interface Part {
  readonly path: (string | number)[];
  readonly amount: string;
  readonly currency: string;
  readonly weight: 1 | 0 | -1;
}

/**
 * A refunds/create body; `amount` is what was given back. With transactions: the sum of the
 * successful refunds among them (0 when none succeeded, as with a voided authorization). Without
 * any: what was booked.
 */
export const refundBody = fields.transform((refund, ctx) => ({
  ...refund,
  amount: sum(ctx, refund.transactions?.length ? moved(refund.transactions) : booked(refund)),
}));

function moved(transactions: readonly z.infer<typeof transaction>[]): Part[] {
  return transactions.map(({ kind, status, amount, currency }, index) => ({
    path: ['transactions', index, 'amount'],
    amount,
    currency,
    weight: kind === 'refund' && status === 'success' ? 1 : 0,
  }));
}

/** Adjustments change the order's worth, so shipping given back is negative there. */
function booked(refund: Refund): Part[] {
  const items = (refund.refund_line_items ?? []).flatMap((item, index) => [
    ...part(['refund_line_items', index, 'subtotal_set'], item.subtotal_set, 1),
    ...part(['refund_line_items', index, 'total_tax_set'], item.total_tax_set, 1),
  ]);
  const adjustments = (refund.order_adjustments ?? []).flatMap((adjustment, index) => [
    ...part(['order_adjustments', index, 'amount_set'], adjustment.amount_set, -1),
    ...part(['order_adjustments', index, 'tax_amount_set'], adjustment.tax_amount_set, -1),
  ]);
  return [...items, ...adjustments];
}

function part(
  path: (string | number)[],
  set: z.infer<typeof shopMoney> | null | undefined,
  weight: 1 | -1,
): Part[] {
  if (!set) return [];
  const { amount, currency_code: currency } = set.shop_money;
  return [{ path, amount, currency, weight }];
}

function sum(ctx: z.RefinementCtx, parts: readonly Part[]): Money {
  const currency = parts[0]?.currency;
  if (currency === undefined) {
    ctx.addIssue({ code: 'custom', path: ['transactions'], message: 'no amount and no currency' });
    return z.NEVER;
  }
  let amount = 0;
  for (const each of parts) {
    const minor = each.currency === currency ? decimalToMinor(each.amount, currency) : null;
    amount += each.weight * moneyAt(ctx, each.path, minor, currency).amount;
  }
  return { amount, currency };
}
