/** Connections: with which credentials we take a vendor's webhooks and call others. */
import * as z from 'zod';
import { ALLOWED_HOST_FORM, isAllowedHost } from './allowed-hosts.ts';
import { duration, utcTime, webUrl } from './json.ts';
import { later } from './later.ts';
import { mailbox } from './mail.ts';

const secretText = later(() => z.string().min(8).max(512).regex(/^\S+$/, 'no spaces'));

/** Says of a new webhook secret that the one before it ends at once. */
const dropPrevious = later(() =>
  z
    .boolean()
    .optional()
    .describe('The former webhook secret ends now; default: it is taken for 24 hours more'),
);

export const SIGNING_SECRET_FORM = 'whsec_ and the base64 of 24 to 64 bytes';
export const SIGNING_KEY_FORM =
  'whsk_ and the base64 of 32 bytes of Ed25519 seed, or of these and their public key';

export const CONNECTION_KINDS = [
  'destinations',
  'email',
  'exports',
  'flags',
  'shopify',
  'stripe',
  'webhook',
] as const;
export const connectionKind = later(() => z.enum(CONNECTION_KINDS).meta({ id: 'ConnectionKind' }));
export type ConnectionKind = z.infer<typeof connectionKind>;

/** What both mail services take. */
const emailFields = () => ({
  kind: z.literal('email'),
  from: mailbox.describe('The sender; its domain has to be verified with the service'),
  unsubscribe: z
    .string()
    .max(1_000)
    .regex(/^(?:https:\/\/|mailto:)[!-+\--;=?-~]+$/, 'an https or mailto address, in ASCII')
    .optional()
    .describe(
      'For List-Unsubscribe of what workflows send; {email} becomes the recipient. Approvals have none',
    ),
});

/** A name in a path at Unleash. */
const unleashName = later(() =>
  z
    .string()
    .max(100)
    .regex(/^[A-Za-z0-9][A-Za-z0-9._~-]*$/, 'letters, digits and . _ ~ -'),
);

const flagsConnection = later(() =>
  z.strictObject({
    kind: z.literal('flags'),
    service: z.literal('unleash'),
    url: webUrl.unwrap().max(500).describe('Where it is, such as https://unleash.example.com'),
    project: unleashName.optional().describe('Default: default'),
    environment: unleashName.describe('Where features are switched, such as production'),
    apiToken: secretText.describe('May switch features in that environment'),
  }),
);

const destinationsConnection = later(() =>
  z.strictObject({
    kind: z.literal('destinations'),
    allow: z
      .array(z.string().max(260).toLowerCase().refine(isAllowedHost, ALLOWED_HOST_FORM))
      .min(1)
      .max(100)
      .transform((entries) => entries.join(' '))
      .describe(
        'The only hosts that may be sent to, and their ports; without it: every public one',
      ),
  }),
);

export const connectionSet = later(() =>
  z
    .discriminatedUnion('kind', [
      destinationsConnection,
      z.discriminatedUnion('service', [
        z.strictObject({ ...emailFields(), service: z.literal('resend'), apiKey: secretText }),
        z.strictObject({
          ...emailFields(),
          service: z.literal('cloudflare').describe("The operator's, for domains that it names"),
        }),
      ]),
      z.strictObject({
        kind: z.literal('exports'),
        keepFor: duration.describe('How long files of exports are kept; without it: 30d'),
      }),
      flagsConnection,
      z.strictObject({
        kind: z.literal('shopify'),
        shopDomain: z
          .string()
          .toLowerCase()
          .regex(/^[a-z0-9][a-z0-9-]{0,100}\.myshopify\.com$/, 'such as example.myshopify.com')
          .describe("The shop's own domain at Shopify, not one that it has beside it"),
        shopId: z
          .string()
          .regex(/^[1-9]\d{0,19}$/, 'the number of the shop')
          .optional()
          .describe('With it, orders whose status page belongs to another shop are refused'),
        webhookSecret: secretText.describe("The app's client secret"),
        dropPrevious,
        adminToken: secretText.optional().describe('For actions: an Admin API access token'),
        apiVersion: z
          .string()
          .regex(/^20(2[6-9]|[3-9]\d)-(01|04|07|10)$/, 'a version from 2026-01 on, such as 2026-10')
          .optional()
          .describe(
            'Version of the Admin API; default: the one that the adapter was written against',
          ),
      }),
      z.strictObject({
        kind: z.literal('stripe'),
        webhookSecret: secretText.describe('Of the webhook endpoint, whsec_…'),
        dropPrevious,
        apiKey: secretText
          .unwrap()
          .regex(/^(sk|rk)_/, 'a secret or a restricted key, sk_… or rk_…')
          .optional()
          .describe('For actions: a key with write access to refunds'),
      }),
      z
        .strictObject({
          kind: z.literal('webhook'),
          signingSecret: z
            .string()
            .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, SIGNING_SECRET_FORM)
            .optional()
            .describe('A shared secret: signs by HMAC-SHA256, scheme v1'),
          signingKey: z
            .string()
            .regex(/^whsk_[A-Za-z0-9+/]{43,86}={0,2}$/, SIGNING_KEY_FORM)
            .optional()
            .describe('An Ed25519 private key, scheme v1a: receivers need its public key alone'),
        })
        .refine(
          ({ signingSecret, signingKey }) =>
            signingSecret !== undefined || signingKey !== undefined,
          'a signingSecret, a signingKey or both',
        ),
    ])
    .meta({ id: 'ConnectionSet' }),
);
export type ConnectionSecrets = z.infer<typeof connectionSet>;

/** What is to be tried out. */
export const connectionTest = later(() =>
  z
    .strictObject({
      kind: connectionKind,
      url: z
        .string()
        .max(2_048)
        .optional()
        .describe('Of a webhook connection: where one signed message of type `ping` is sent'),
    })
    .superRefine(({ kind, url }, context) => {
      const message =
        kind === 'webhook' ? 'say where to send a ping' : 'a webhook connection alone takes one';
      if ((kind === 'webhook') !== (url !== undefined))
        context.addIssue({ code: 'custom', path: ['url'], message });
    })
    .meta({ id: 'ConnectionTest' }),
);
export type ConnectionTest = z.infer<typeof connectionTest>;

/** One thing that was tried out. */
export const connectionCheck = later(() =>
  z
    .object({
      name: z.string().describe('What was looked at, such as `token`, `scopes` or `domain`'),
      ok: z.boolean(),
      detail: z.string().describe('What was found, in words for an operator; never a secret'),
    })
    .meta({ id: 'ConnectionCheck' }),
);
export type ConnectionCheck = z.infer<typeof connectionCheck>;

/** What is shown of a connection: never a secret, only which of them are set. */
export const connection = later(() =>
  z
    .object({
      kind: connectionKind,
      settings: z.record(z.string(), z.string()),
      secrets: z.array(z.string()).describe('Names of the secrets that are set'),
      updatedAt: utcTime,
      ignored: z
        .array(z.object({ topic: z.string(), count: z.int(), lastAt: utcTime }))
        .optional()
        .describe('Topics that the vendor sent and that are not translated'),
    })
    .meta({ id: 'Connection' }),
);
export type Connection = z.infer<typeof connection>;
