/** The product, as `npm run serve` starts it, and what a bench asks of it over HTTP. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../support/ask.ts';
import { freePort, type Running, startScript } from '../support/processes.ts';

const PAGE = 200;
/** Back-pressure has tests of its own; here nobody is to be refused. */
const LIMITS = { eventsPerSecond: 1_000_000, eventsBurst: 10_000_000, runsInFlight: 1_000_000 };

export interface Place {
  readonly stateDir: string;
  readonly platformToken: string;
}

export interface Tenant {
  readonly id: string;
  readonly origin: string;
  readonly keys: { readonly admin: string; readonly ingest: string; readonly approver: string };
}

export interface ProductServer {
  readonly place: Place;
  readonly origin: string;
  readonly running: Running;
  /** @param rate events a second, and so many at once; as many as are sent, unless it is said */
  openTenant(id: string, rate?: number): Promise<Tenant>;
  /** Ends it and leaves its state. */
  end(): Promise<void>;
  /** Ends it and removes its state. */
  stop(): Promise<void>;
}

export function newPlace(): Place {
  return {
    stateDir: mkdtempSync(join(tmpdir(), 'bench-product-')),
    platformToken: randomBytes(24).toString('hex'),
  };
}

export async function startProductServer(
  place = newPlace(),
  env: NodeJS.ProcessEnv = {},
): Promise<ProductServer> {
  const port = await freePort();
  const { stateDir, platformToken } = place;
  const running = await startScript(['scripts/serve.mjs', '--no-demo'], /API docs/, {
    PORT: String(port),
    STATE_DIR: stateDir,
    PLATFORM_TOKEN: platformToken,
    ...env,
  });
  const origin = `http://127.0.0.1:${port}`;
  return {
    place,
    origin,
    running,
    openTenant: (id, rate) => openTenant(origin, platformToken, id, rate),
    end: () => running.stop(),
    async stop() {
      await running.stop();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

async function openTenant(
  origin: string,
  platformToken: string,
  id: string,
  rate?: number,
): Promise<Tenant> {
  const made = await askAs(platformToken, `${origin}/api/platform/tenants/create`, {
    id,
    name: id,
  });
  const asked = rate === undefined ? {} : { eventsPerSecond: rate, eventsBurst: rate };
  const limits = { ...LIMITS, ...asked };
  await askAs(platformToken, `${origin}/api/platform/tenants/limits`, { id, limits });
  const admin = made.apiKey.secret;
  const key = async (role: string) => {
    const answer = await askAs(admin, `${origin}/api/admin/api-keys/create`, { name: role, role });
    return answer.apiKey.secret;
  };
  return {
    id,
    origin,
    keys: { admin, ingest: await key('ingest'), approver: await key('approver') },
  };
}

/** Asks as the tenant's admin. @throws Error unless the answer is 2xx */
export async function askTenant({ origin, keys }: Tenant, path: string, body?: object) {
  return await askAs(keys.admin, `${origin}${path}`, body);
}

/** All pages of a list, or the first ones that hold so many. @param query as in `status=failed` */
export async function listOf(tenant: Tenant, path: string, query: string, atMost = Infinity) {
  const all = [];
  for (let cursor: string | null = ''; cursor !== null && all.length < atMost; ) {
    const limit = Math.min(PAGE, atMost - all.length);
    const page = `${path}?limit=${limit}&${query}${cursor === '' ? '' : `&cursor=${cursor}`}`;
    const { items, nextCursor } = await askTenant(tenant, page);
    all.push(...items);
    cursor = nextCursor;
  }
  return all;
}

async function askAs(token: string, url: string, body?: object) {
  const headers = { authorization: `Bearer ${token}` };
  return await ask(url, body === undefined ? { headers } : { headers, body });
}
