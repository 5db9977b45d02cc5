/**
 * The tenant's own shop at Shopify, by the Admin GraphQL API. Every call may be repeated: a tag is
 * there or not, an order is cancelled once, and a refund carries our key.
 */
import * as z from 'zod';
import type { Outcome } from '../engine/plan.ts';
import { type CommercePort, failed, type PortCall, succeeded } from './index.ts';
import { askShopify, type ShopifyShop, userErrors, userErrorsOutcome } from './shopify-admin.ts';
import { marked, markOf, numericId, orderGid } from './shopify-ids.ts';
import { refundAtShopify } from './shopify-refund.ts';
import type { Answer, Asking } from './vendor-http.ts';

/** https://shopify.dev/docs/api/admin-graphql/latest/mutations/tagsAdd */
const TAG_LENGTH_MAX = 40;
/** A cancellation is a job at Shopify: so often it is looked whether it is done. */
const CANCEL_LOOKS = 4;
const CANCEL_LOOK_MS = 400;

/** @param deps `fetch` is the runtime's, or a test's */
export function shopifyCommerce(
  shop: ShopifyShop,
  { fetch }: { readonly fetch: typeof globalThis.fetch },
): CommercePort {
  const withOrder = async (
    call: PortCall,
    orderId: string,
    act: (gid: string, asking: Asking) => Promise<Outcome>,
  ): Promise<Outcome> => {
    const gid = orderGid(orderId);
    if (gid === null)
      return failed(
        'invalid_order_id',
        "An order's id at Shopify is a number with all its digits.",
      );
    const deadline = AbortSignal.timeout(call.timeoutMs);
    return await act(gid, { fetch, deadline, now: call.now });
  };
  return {
    tagOrder: (call, orderId, tag) =>
      withOrder(call, orderId, (gid, asking) => tagOrder(shop, gid, tag, asking)),
    refundOrder: (call, refund) =>
      withOrder(call, refund.orderId, (gid, asking) =>
        refundAtShopify(shop, call, gid, refund, asking),
      ),
    cancelOrder: (call, orderId, reason) =>
      withOrder(call, orderId, (gid, asking) => cancelOrder(shop, call, gid, reason, asking)),
  };
}

const notFound = () => failed('order_not_found', 'The shop has no such order.');

const READ_TAGS = 'query OrderTags($id: ID!) { order(id: $id) { id tags } }';
const ADD_TAG = `mutation AddTag($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) { node { id ... on Order { tags } } userErrors { field message } }
}`;
const taggedOrder = z.object({ id: z.string(), tags: z.array(z.string()) });

/** Read first: whether the tag is new is what the step's output says. */
async function tagOrder(
  shop: ShopifyShop,
  gid: string,
  tag: string,
  asking: Asking,
): Promise<Outcome> {
  if (tag.length > TAG_LENGTH_MAX || tag.includes(','))
    return failed(
      'invalid_tag',
      `A tag at Shopify has up to ${TAG_LENGTH_MAX} characters, no comma.`,
    );
  const data = z.object({ order: taggedOrder.nullable() });
  const read = await askShopify(shop, { query: READ_TAGS, variables: { id: gid }, data }, asking);
  if (!read.ok) return read.outcome;
  const { order } = read.data;
  if (order === null) return notFound();
  const output = { orderId: numericId(gid), tag };
  if (order.tags.some((known) => known.toLowerCase() === tag.toLowerCase()))
    return succeeded({ ...output, tags: order.tags, changed: false });
  const added = await askShopify(
    shop,
    {
      query: ADD_TAG,
      variables: { id: gid, tags: [tag] },
      data: z.object({ tagsAdd: z.object({ node: taggedOrder.nullable(), userErrors }) }),
    },
    asking,
  );
  if (!added.ok) return added.outcome;
  const { node, userErrors: errors } = added.data.tagsAdd;
  return (
    userErrorsOutcome(shop, errors) ??
    succeeded({ ...output, tags: node?.tags ?? [...order.tags, tag], changed: true })
  );
}

const READ_CANCELLED = `query CancelledOrder($id: ID!) {
  order(id: $id) { id cancelledAt cancellation { staffNote } }
}`;
const cancelledOrder = z.object({
  order: z
    .object({
      cancelledAt: z.string().nullable(),
      cancellation: z.object({ staffNote: z.string().nullish() }).nullish(),
    })
    .nullable(),
});
const CANCEL = `mutation CancelOrder($id: ID!, $note: String) {
  orderCancel(
    orderId: $id, reason: OTHER, restock: true, notifyCustomer: false, staffNote: $note,
    refundMethod: { originalPaymentMethodsRefund: false }
  ) { job { id } orderCancelUserErrors { field message } }
}`;

/** No money is given back and no mail is sent: those are steps of their own. Stock is put back. */
async function cancelOrder(
  shop: ShopifyShop,
  { idempotencyKey }: PortCall,
  gid: string,
  reason: string | undefined,
  asking: Asking,
): Promise<Outcome> {
  const before = await readCancelled(shop, gid, idempotencyKey, asking);
  if (!before.ok) return before.outcome;
  if (before.data !== null) return before.data;
  const taken = await askShopify(
    shop,
    {
      query: CANCEL,
      variables: { id: gid, note: markOf(idempotencyKey, reason) },
      data: z.object({ orderCancel: z.object({ orderCancelUserErrors: userErrors }) }),
    },
    asking,
  );
  if (!taken.ok) return taken.outcome;
  const refused = userErrorsOutcome(shop, taken.data.orderCancel.orderCancelUserErrors);
  // Refused may mean that an earlier attempt's job has come through: the order tells.
  const looks = refused === null ? CANCEL_LOOKS : 1;
  for (let look = 0; look < looks && !asking.deadline.aborted; look += 1) {
    if (look > 0) await sleep(CANCEL_LOOK_MS * 2 ** (look - 1));
    const after = await readCancelled(shop, gid, idempotencyKey, asking);
    if (!after.ok) return after.outcome;
    if (after.data !== null) return after.data;
  }
  if (refused !== null) return refused;
  return failed('cancel_pending', 'Shopify has taken the cancellation, and is not done with it.', {
    retryable: true,
    retryAfterMs: 10_000,
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The outcome for an order that is cancelled; null for one that is not. */
async function readCancelled(
  shop: ShopifyShop,
  gid: string,
  idempotencyKey: string,
  asking: Asking,
): Promise<Answer<Outcome | null>> {
  const operation = { query: READ_CANCELLED, variables: { id: gid }, data: cancelledOrder };
  const read = await askShopify(shop, operation, asking);
  if (!read.ok) return read;
  const { order } = read.data;
  if (order === null) return { ok: false, outcome: notFound() };
  if (order.cancelledAt === null) return { ok: true, data: null };
  const changed = marked(order.cancellation?.staffNote, idempotencyKey);
  return {
    ok: true,
    data: succeeded({ orderId: numericId(gid), status: 'cancelled', changed }),
  };
}
