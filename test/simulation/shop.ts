/** Tenants with people and workflows in which everything happens: made once, each schedule begins there. */
import { migrated } from './platform/d1.ts';
import { inhabit, settled } from './platform/globals.ts';
import { House, type Product, type SavedHouse, type Variables } from './platform/house.ts';
import { World } from './platform/world.ts';

export interface Person {
  readonly id: string;
  readonly key: string;
}

export interface Shop {
  readonly id: string;
  readonly admin: string;
  readonly people: readonly [Person, ...Person[]];
  /** Ids of its workflows by name. */
  readonly workflows: ReadonlyMap<string, string>;
}

export interface Beginning {
  readonly shops: readonly [Shop, ...Shop[]];
  readonly saved: SavedHouse;
}

export const EPOCH = Date.UTC(2026, 0, 5, 8);
const PEOPLE = 4;
const SHOPS = ['acme', 'globex'];
export const VARIABLES: Variables = {
  ENVIRONMENT: 'development',
  ALLOWED_ORIGINS: '',
  OWN_HOSTS: '',
  PLATFORM_TOKEN: 'simulated-platform-token-0123456789',
  KEY_SECRET: 'simulated-key-secret-0123456789abcdef01234567',
  SEAL_KEY: 'simulated-seal-key-0123456789abcdef0123456789',
  AUDIT_KEY: 'simulated-audit-key-0123456789abcdef012345678',
};

/** Each policy is known by how long its approvals wait. */
export const FIRST_EXPIRES_IN = '3600s';

/** Quick retries, and so many that an hour's outage does not use them up. */
const PATIENT = { timeout: '10s', retry: { attempts: 20, delay: '2s', maxDelay: '10m' } } as const;

export async function begin(product: Product, migrations: readonly string[]): Promise<Beginning> {
  const world = new World(0, EPOCH, settled);
  inhabit(world);
  const none = { tenants: new Map(), runs: new Map(), d1: migrated(migrations) };
  const house = new House(world, product, none, VARIABLES);
  const opened: Shop[] = [];
  let failure: unknown = null;
  const opening = (async () => {
    for (const id of SHOPS) opened.push(await open(house, id));
  })().catch((error: unknown) => {
    failure = error;
  });
  while (await world.step());
  if (opened.length < SHOPS.length) throw failure ?? new Error(world.trace.slice(-20).join('\n'));
  await opening;
  const saved = house.save();
  house.close();
  const [first, ...others] = opened;
  if (first === undefined) throw new Error('no shop');
  return { shops: [first, ...others], saved };
}

async function open(house: House, id: string): Promise<Shop> {
  const post = async (key: string, path: string, body: object) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const reply = await house.request('POST', path, { headers, body: JSON.stringify(body) });
    if (reply === null || reply.status >= 300)
      throw new Error(`${path}: ${JSON.stringify(reply?.body)}`);
    return reply.body;
  };
  const made = await post(VARIABLES.PLATFORM_TOKEN ?? '', '/api/platform/tenants/create', {
    ...{ id, name: `Shop ${id}` },
  });
  const admin = textAt(made, 'apiKey', 'secret');
  const people: Person[] = [];
  for (let n = 0; n < PEOPLE; n++) {
    const role = n === 0 ? 'admin' : 'approver';
    const body = { name: `Person ${n}`, email: `person-${n}@example.com`, role };
    const memberId = textAt(await post(admin, '/api/admin/members/create', body), 'member', 'id');
    const key = { name: 'Theirs', role, memberId };
    const made = await post(admin, '/api/admin/api-keys/create', key);
    people.push({ id: memberId, key: textAt(made, 'apiKey', 'secret') });
  }
  await post(admin, '/api/admin/approval-policy/update', {
    actions: {
      'notify.webhook': { edit: 'approver', expiresIn: FIRST_EXPIRES_IN },
      'order.refund': { ...BUDGETED, expiresIn: FIRST_EXPIRES_IN },
    },
  });
  const workflows = new Map<string, string>();
  for (const { name, ...workflow } of definitions(id)) {
    const body = { name, ...workflow, enabled: true };
    const made = await post(admin, '/api/admin/workflows/create', body);
    workflows.set(name, textAt(made, 'workflow', 'id'));
  }
  const [first, ...others] = people;
  if (first === undefined) throw new Error('a shop without people');
  return { id, admin, people: [first, ...others], workflows };
}

/** Two refunds an hour by themselves, then somebody has to say so. */
const BUDGETED = {
  ...{ required: false, approvals: 1 },
  budget: { count: 2, window: '1h' },
};

/** Where webhooks of a shop go. */
export function definitions(shop: string, edition = 0) {
  const post = (id: string, more: object = {}) => ({
    ...{ id, action: 'notify.webhook', ...PATIENT },
    with: {
      url: `https://hooks.example.com/${shop}`,
      body: { event: '{{ event.id }}', n: '{{ event.data.n }}', step: id, edition },
    },
    ...more,
  });
  const on = (name: string, event: string, steps: readonly object[]) => ({
    ...{ name, trigger: { event }, steps },
  });
  return [
    on('straight', 'custom.straight', [post('send')]),
    on('beside', 'custom.straight', [post('also')]),
    on('two', 'custom.two', [post('first'), post('second')]),
    on('gated', 'custom.gated', [post('announce'), post('send', { approval: { approvals: 2 } })]),
    on('waits', 'custom.waits', [{ id: 'nap', wait: '5m' }, post('send')]),
    on('refund', 'order.created', [
      post('announce'),
      {
        ...{ id: 'refund', action: 'order.refund', ...PATIENT },
        with: { orderId: '{{ event.data.order.id }}', amount: { amount: 100, currency: 'EUR' } },
      },
    ]),
    on('refunded', 'order.refunded', [post('tell')]),
  ];
}

export function textAt(value: unknown, ...path: readonly string[]): string {
  let at = value;
  for (const name of path)
    at = typeof at === 'object' && at !== null ? Reflect.get(at, name) : null;
  if (typeof at !== 'string') throw new Error(`no text at ${path.join('.')}`);
  return at;
}
