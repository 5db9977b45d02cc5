/**
 * A cancellation at Shopify, which is a job there: it is taken first and done later. Never twice: an
 * order is cancelled once, and its staff note tells whether it was by us.
 * https://shopify.dev/docs/api/admin-graphql/latest/mutations/orderCancel
 */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import type { Outcome } from '../engine/plan.ts';
import { failed, NOT_YET, type PortCall, succeeded } from './index.ts';
import { askShopify, noSuchOrder, type ShopifyShop, userErrorsOutcome } from './shopify-admin.ts';
import { marked, markOf, numericId } from './shopify-ids.ts';
import { type Answer, type Asking, inDoubt } from './vendor-http.ts';

/** So often it is looked whether the job is done, 2.8 s in all; then it is for another attempt. */
const LOOKS = 4;
const LOOK_MS = 400;

const ORDER = 'order(id: $id) { cancelledAt cancellation { staffNote } }';
const READ = `query CancelledOrder($id: ID!) { ${ORDER} }`;
const READ_JOB = `query CancellationJob($id: ID!, $job: ID!) { job(id: $job) { done } ${ORDER} }`;
const CANCEL = `mutation CancelOrder($id: ID!, $note: String) {
  orderCancel(
    orderId: $id, reason: OTHER, restock: true, notifyCustomer: false, staffNote: $note,
    refundMethod: { originalPaymentMethodsRefund: false }
  ) { job { id } orderCancelUserErrors { field message code } }
}`;

const cancelledOrder = later(() =>
  z.object({
    order: z
      .object({
        cancelledAt: z.string().nullable(),
        cancellation: z.object({ staffNote: z.string().nullish() }).nullish(),
      })
      .nullable(),
    job: z.object({ done: z.boolean() }).nullish(),
  }),
);

const taken = later(() =>
  z.object({
    orderCancel: z.object({
      job: z.object({ id: z.string() }).nullish(),
      orderCancelUserErrors: z.array(
        z.object({ message: z.string(), code: z.string().nullish().catch(null) }),
      ),
    }),
  }),
);
type UserErrors = z.infer<typeof taken>['orderCancel']['orderCancelUserErrors'];

/** The order as it is seen by an attempt. */
interface Order {
  readonly shop: ShopifyShop;
  readonly gid: string;
  readonly idempotencyKey: string;
  readonly asking: Asking;
}

/** No money is given back and no mail is sent: those are steps of their own. Stock is put back. */
export async function cancelAtShopify(
  shop: ShopifyShop,
  { idempotencyKey }: PortCall,
  gid: string,
  reason: string | undefined,
  asking: Asking,
): Promise<Outcome> {
  const order: Order = { shop, gid, idempotencyKey, asking };
  const before = await look(order, null);
  if (!before.ok) return before.outcome;
  if (before.data.cancelled !== null) return before.data.cancelled;
  const note = markOf(idempotencyKey, reason);
  const operation = { query: CANCEL, variables: { id: gid, note }, data: taken };
  const answer = await askShopify(shop, operation, asking);
  if (!answer.ok) return answer.outcome;
  const { job, orderCancelUserErrors: errors } = answer.data.orderCancel;
  return errors.length > 0 ? await refused(order, errors) : await followed(order, job?.id ?? null);
}

/** Refused may mean that an earlier attempt's job has come through, or is about to: the order tells. */
async function refused(order: Order, errors: UserErrors): Promise<Outcome> {
  const after = await look(order, null);
  if (!after.ok) return inDoubt(after.outcome);
  if (after.data.cancelled !== null) return after.data.cancelled;
  if (errors.some(({ message }) => UNDER_WAY.test(message))) return pending();
  if (errors.some(({ code }) => code === 'INTERNAL_ERROR'))
    return failed('vendor_failed', 'Shopify has a fault of its own.', { retryable: true });
  if (errors.some(({ code }) => code === 'NOT_FOUND')) return noSuchOrder();
  return userErrorsOutcome(order.shop, errors) ?? pending();
}

const UNDER_WAY = /already|in progress|being cancell?ed/i;

async function followed(order: Order, job: string | null): Promise<Outcome> {
  for (let nth = 0; nth < LOOKS && !order.asking.deadline.aborted; nth += 1) {
    if (nth > 0) await sleep(LOOK_MS * 2 ** (nth - 1));
    const after = await look(order, job);
    if (!after.ok) return inDoubt(after.outcome);
    if (after.data.cancelled !== null) return after.data.cancelled;
    if (after.data.done) return await givenUp(order);
  }
  return pending();
}

/** The job may have been done between the two parts of the look, so the order has the last word. */
async function givenUp(order: Order): Promise<Outcome> {
  const last = await look(order, null);
  if (!last.ok) return inDoubt(last.outcome);
  const says = 'Shopify took the cancellation, and then gave it up: see the order there for why.';
  return last.data.cancelled ?? failed('cancel_failed', says, NOT_YET);
}

function pending(): Outcome {
  return failed('cancel_pending', 'Shopify has taken the cancellation, and is not done with it.', {
    retryable: true,
    retryAfterMs: 10_000,
    inDoubt: true,
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** `cancelled`: the outcome for an order that is; `done`: whether the job has ended. */
async function look(
  { shop, gid, idempotencyKey, asking }: Order,
  job: string | null,
): Promise<Answer<{ cancelled: Outcome | null; done: boolean }>> {
  const operation =
    job === null
      ? { query: READ, variables: { id: gid }, data: cancelledOrder }
      : { query: READ_JOB, variables: { id: gid, job }, data: cancelledOrder };
  const read = await askShopify(shop, operation, asking);
  if (!read.ok) return read;
  const { order, job: seen } = read.data;
  if (order === null) return { ok: false, outcome: noSuchOrder() };
  const done = seen?.done ?? false;
  if (order.cancelledAt === null) return { ok: true, data: { cancelled: null, done } };
  const changed = marked(order.cancellation?.staffNote, idempotencyKey);
  const output = { orderId: numericId(gid), status: 'cancelled', changed };
  return { ok: true, data: { cancelled: succeeded(output), done } };
}
