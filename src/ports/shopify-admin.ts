/**
 * Shopify's Admin GraphQL API, one operation at a time: what it answers becomes data or an outcome
 * in words that an operator understands.
 * https://shopify.dev/docs/api/admin-graphql (errors, cost and throttling),
 * https://shopify.dev/docs/api/usage/response-codes
 */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import type { Outcome } from '../engine/plan.ts';
import { failed } from './index.ts';
import {
  type Answer,
  type Asking,
  busyOutcome,
  exchange,
  ofChange,
  parsedJson,
  quoted,
  silenceOutcome,
  unreadableOutcome,
} from './vendor-http.ts';

/** The newest that the adapter was written against; a connection may pin another one. */
export const SHOPIFY_API_VERSION = '2026-10';

export interface ShopifyShop {
  /** `https://<shop>.myshopify.com`, or a stand-in in development. */
  readonly origin: string;
  readonly adminToken: string;
  readonly apiVersion: string;
}

export interface ShopifyOperation<Data> {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** What is read of `data`; an answer without it is unreadable. */
  readonly data: z.ZodType<Data>;
}

const envelope = later(() =>
  z.object({
    data: z.unknown().optional(),
    errors: z
      .union([
        z.string(),
        z.array(
          z.object({
            message: z.string(),
            path: z.array(z.unknown()).optional().catch(undefined),
            extensions: z
              .object({ code: z.string().optional(), requiredAccess: z.string().optional() })
              .optional()
              .catch(undefined),
          }),
        ),
      ])
      .optional(),
    extensions: z
      .object({
        cost: z.object({
          requestedQueryCost: z.number(),
          throttleStatus: z.object({ currentlyAvailable: z.number(), restoreRate: z.number() }),
        }),
      })
      .optional()
      .catch(undefined),
  }),
);
type Envelope = z.infer<typeof envelope>;

/** Never throws. Whatever is sent has to be repeatable: every failure but a refusal is retried. */
export async function askShopify<Data>(
  shop: ShopifyShop,
  operation: ShopifyOperation<Data>,
  asking: Asking,
): Promise<Answer<Data>> {
  const answer = await askOnce(shop, operation, asking);
  return answer.ok || !isMutation(operation) ? answer : no(ofChange(answer.outcome));
}

function isMutation({ query }: ShopifyOperation<unknown>): boolean {
  return query.startsWith('mutation');
}

async function askOnce<Data>(
  shop: ShopifyShop,
  operation: ShopifyOperation<Data>,
  { fetch, deadline, now }: Asking,
): Promise<Answer<Data>> {
  const { query, variables, data: schema } = operation;
  const sent = await exchange(
    fetch,
    `${shop.origin}/admin/api/${shop.apiVersion}/graphql.json`,
    {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        'x-shopify-access-token': shop.adminToken,
      },
      body: JSON.stringify({ query, variables }),
    },
    deadline,
  );
  if (!sent.answered)
    return no(sent.silence === 'redirected' ? moved() : silenceOutcome('Shopify', sent.silence));
  const { status, headers, text } = sent;
  const busy = busyOutcome('Shopify', status, headers.get('retry-after'), now);
  if (busy !== null) return no(busy);
  const answer = envelope.safeParse(parsedJson(text)).data;
  if (status !== 200) return no(statusOutcome(shop, status));
  if (answer === undefined) return no(unreadableOutcome('Shopify'));
  if (answer.errors !== undefined && !(isMutation(operation) && hasRun(answer)))
    return no(errorsOutcome(shop, answer));
  const read = schema.safeParse(answer.data);
  return read.success ? { ok: true, data: read.data } : no(unreadableOutcome('Shopify'));
}

/**
 * With errors inside its payload a mutation has been carried out, and a part of its result is all
 * that is missing. https://spec.graphql.org/October2021/#sec-Handling-Field-Errors
 */
function hasRun({ data, errors }: Envelope): boolean {
  const fields = typeof data === 'object' && data !== null ? Object.values(data) : [];
  const inside = typeof errors !== 'string' && errors?.some(({ path = [] }) => path.length > 1);
  return inside === true || fields.some((field) => field !== null);
}

function moved(): Outcome {
  return failed(
    'redirect_refused',
    'Shopify answered with a redirect, which is not followed: has the shop another myshopify.com domain now?',
  );
}

function no(outcome: Outcome): { ok: false; outcome: Outcome } {
  return { ok: false, outcome };
}

function statusOutcome({ apiVersion }: ShopifyShop, status: number): Outcome {
  switch (status) {
    case 401:
      return failed('credential_refused', REFUSED_TOKEN);
    case 402:
    case 423:
      return shopUnavailable();
    case 403:
      return failed(
        'scope_missing',
        'Shopify forbids it (403): the app lacks a scope, such as write_orders, or the shop is closed.',
      );
    case 404:
      return failed(
        'shop_not_found',
        `Shopify knows no such shop, or no API version ${apiVersion}: check the connection.`,
      );
    default:
      return failed('shopify_refused', `Shopify refused the request (${status}).`);
  }
}

function shopUnavailable(): Outcome {
  return failed('shop_unavailable', 'Shopify says that the shop is closed, frozen or locked.');
}

const REFUSED_TOKEN =
  'The Admin token was refused: set the shopify connection with a token of an app that is installed.';

/** Errors of the operation itself, which come with status 200. */
function errorsOutcome(shop: ShopifyShop, { errors, extensions }: Envelope): Outcome {
  const list = typeof errors === 'string' ? [{ message: errors }] : (errors ?? []);
  const codeOf = (error: (typeof list)[number]) =>
    'extensions' in error ? error.extensions?.code : undefined;
  const find = (code: string) => list.find((error) => codeOf(error) === code);
  if (find('THROTTLED') !== undefined)
    return failed('rate_limited', 'Shopify asks for fewer requests; it is asked again.', {
      retryable: true,
      retryAfterMs: refilledAfterMs(extensions),
    });
  const denied = find('ACCESS_DENIED');
  if (denied !== undefined) {
    const access = 'extensions' in denied ? denied.extensions?.requiredAccess : undefined;
    const scope = /\b((?:read|write)_[a-z_]+)\b/.exec(access ?? denied.message)?.[1];
    return failed(
      'scope_missing',
      scope === undefined
        ? `Shopify denied access: ${refusedWords(shop, [denied])}`
        : `The Admin token lacks the scope ${scope}: grant it to the app, and set its new token.`,
    );
  }
  if (find('SHOP_INACTIVE') !== undefined) return shopUnavailable();
  if (find('INTERNAL_SERVER_ERROR') !== undefined || find('TIMEOUT') !== undefined)
    return failed('vendor_failed', 'Shopify has a fault of its own.', { retryable: true });
  if (list.some(({ message }) => KEY_IN_USE.test(message))) return keyInUse();
  return refusal(shop, list);
}

/** The idempotency key's errors come without a code where the payload has plain user errors. */
const KEY_IN_USE = /currently in progress|IDEMPOTENCY_CONCURRENT_REQUEST/i;

function keyInUse(): Outcome {
  return failed('in_progress', 'Shopify is still busy with an earlier attempt.', {
    retryable: true,
    retryAfterMs: 5_000,
    inDoubt: true,
  });
}

/** The bucket refills by so many points a second: how long until the operation fits. */
function refilledAfterMs(extensions: Envelope['extensions']): number | null {
  if (extensions === undefined) return null;
  const { requestedQueryCost, throttleStatus } = extensions.cost;
  const { currentlyAvailable, restoreRate } = throttleStatus;
  if (restoreRate <= 0) return null;
  const seconds = Math.max(requestedQueryCost - currentlyAvailable, 0) / restoreRate;
  return Math.ceil(Math.min(Math.max(seconds, 1), 3_600) * 1_000);
}

/** A token without `read_all_orders` does not see orders older than 60 days. */
export function noSuchOrder(): Outcome {
  return failed(
    'order_not_found',
    'The shop has no such order, or it is older than 60 days and the app lacks the scope read_all_orders.',
  );
}

export const userErrors = later(() => z.array(z.object({ message: z.string() })));
type Said = readonly { readonly message: string }[];

/** What the shop has against the operation; null when it has nothing. */
export function userErrorsOutcome(shop: ShopifyShop, errors: Said): Outcome | null {
  if (errors.length === 0) return null;
  if (errors.some(({ message }) => KEY_IN_USE.test(message))) return keyInUse();
  return refusal(shop, errors);
}

function refusal(shop: ShopifyShop, said: Said): Outcome {
  return failed('shopify_refused', `Shopify refused: ${refusedWords(shop, said)}`);
}

/** In Shopify's own words, which are made for people. */
function refusedWords({ adminToken }: ShopifyShop, said: Said): string {
  const words = said.map(({ message }) => message).join(' ');
  return quoted(words, adminToken) || 'without a reason';
}
