/**
 * The tenant's own shop at Shopify, by the Admin GraphQL API. Every call may be repeated: a tag is
 * there or not, an order is cancelled once, and a refund carries our key.
 */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import type { Outcome } from '../engine/plan.ts';
import { type CommercePort, failed, type PortCall, succeeded } from './index.ts';
import {
  askShopify,
  noSuchOrder,
  type ShopifyShop,
  userErrors,
  userErrorsOutcome,
} from './shopify-admin.ts';
import { cancelAtShopify } from './shopify-cancel.ts';
import { numericId, orderGid } from './shopify-ids.ts';
import { refundAtShopify } from './shopify-refund.ts';
import type { Asking } from './vendor-http.ts';

/** https://shopify.dev/docs/api/admin-graphql/latest/mutations/tagsAdd */
const TAG_LENGTH_MAX = 40;

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
      withOrder(call, orderId, (gid, asking) => cancelAtShopify(shop, call, gid, reason, asking)),
  };
}

const READ_TAGS = 'query OrderTags($id: ID!) { order(id: $id) { id tags } }';
const ADD_TAG = `mutation AddTag($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) { node { id ... on Order { tags } } userErrors { field message } }
}`;
const taggedOrder = later(() => z.object({ id: z.string(), tags: z.array(z.string()) }));

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
  if (order === null) return noSuchOrder();
  const output = { orderId: numericId(gid), tag };
  const wanted = tag.trim().toLowerCase();
  if (order.tags.some((known) => known.toLowerCase() === wanted))
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
