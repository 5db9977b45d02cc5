/** The Worker's bindings and secrets, as wrangler.toml and `wrangler secret put` provide them. */
import type { RunObject } from './objects/run.ts';
import type { TenantObject } from './objects/tenant.ts';

export interface Env {
  readonly TENANTS: DurableObjectNamespace<TenantObject>;
  readonly RUNS: DurableObjectNamespace<RunObject>;
  readonly DB: D1Database;
  /** More databases for the read models of tenants, numbered without a gap: docs/sharding.md. */
  readonly [further: `DB_${number}`]: D1Database | undefined;
  /** The first database, where `DB` is a tenant's own: db/databases.ts. No binding has this name. */
  readonly DIRECTORY?: D1Database;
  readonly EXPORTS: R2Bucket;
  /** The console's files, under `npm run serve` alone: http/console-files.ts. */
  readonly CONSOLE?: Fetcher;
  /** `development` allows what a deployment must not: plain http to loopback, the mailbox route. */
  readonly ENVIRONMENT: string;
  /** Comma-separated origins of frontends. */
  readonly ALLOWED_ORIGINS: string;
  /** Comma-separated hosts that are ours: no webhook may be sent there. */
  readonly OWN_HOSTS: string;
  /** In development alone: stand-ins for the vendors' APIs, such as `http://127.0.0.1:9000`. */
  readonly SHOPIFY_ORIGIN?: string;
  readonly STRIPE_ORIGIN?: string;
  readonly RESEND_ORIGIN?: string;
  /** Cloudflare's email binding. Not there under `npm run serve`: what it does locally sends nothing. */
  readonly EMAIL?: SendEmail;
  /** Our own mails (approvals, checkpoints) come from here, by that binding. Empty: by connections. */
  readonly EMAIL_FROM?: string;
  /** Which tenants may send by that binding: `{"shop.example.com": ["acme"], "example.com": ["*"]}`. */
  readonly EMAIL_DOMAINS?: string;
  /** Counts wrong credentials by address: http/wrong-credentials.ts. Without it none are counted. */
  readonly WRONG_CREDENTIALS?: RateLimit;
  /** Where people reach this service, such as `https://hooks.example.com`: links in mails begin so. */
  readonly PUBLIC_URL?: string;
  /** Cloudflare Access: `https://<team>.cloudflareaccess.com`, and the application's audience tag. */
  readonly ACCESS_TEAM?: string;
  readonly ACCESS_AUDIENCE?: string;
  /** The operator's secret for /api/platform. */
  readonly PLATFORM_TOKEN: string;
  /** Makes the check inside API keys, so that a made-up key wakes nothing. */
  readonly KEY_SECRET: string;
  /** Encrypts the tenants' credentials at rest. */
  readonly SEAL_KEY: string;
  /** Former ones, which only open, with commas or spaces between them: docs/connections.md. */
  readonly SEAL_KEYS_RETIRED?: string;
  /** Signs the checkpoints of the audit chains. Without it there are none. */
  readonly AUDIT_KEY?: string;
  /** The published keys that have signed before, as a JSON array, each with its `until`. */
  readonly AUDIT_KEYS_RETIRED?: string;
}

declare global {
  namespace Cloudflare {
    /** Gives `ctx.exports` its types. */
    interface GlobalProps {
      mainModule: typeof import('./worker.ts');
      durableNamespaces: 'TenantObject' | 'RunObject';
    }
  }
}
