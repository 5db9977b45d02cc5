/** A tenant of the harness: its people, its keys, and workflows in which everything happens. */
import * as z from 'zod';
import { member } from '../../src/contract/members.ts';
import { newApiKey } from '../../src/contract/tenants.ts';
import type { Server } from '../e2e/support/server.ts';
import { createWorkflow, openTenant, type Tenant } from '../e2e/support/tenant.ts';

export interface Person {
  readonly id: string;
  readonly key: string;
  /** Whoever changes inputs may not approve them: half of them never do, or nobody could. */
  readonly edits: boolean;
}

export interface Shop extends Tenant {
  readonly people: readonly [Person, ...Person[]];
  /** A workflow that is edited, switched on and off all the time. */
  readonly edited: string;
}

const PEOPLE = 4;
/** Few enough that a slow machine is not busy for minutes with what it has taken. */
export const RUNS_IN_FLIGHT = [60, 120] as const;
/**
 * Quick retries, and so many that chance does not use them up; but not so quick that a machine with too
 * little to give is busy with attempts that come too late, and with nothing else.
 */
const PATIENT = { timeout: '10s', retry: { attempts: 20, delay: '1s', maxDelay: '8s' } } as const;

/** @param origin of the receivers */
export async function openShop(server: Server, origin: string, secret: string): Promise<Shop> {
  const tenant = await openTenant(server, secret);
  const limits = { runsInFlight: RUNS_IN_FLIGHT[0] };
  const path = '/api/platform/tenants/limits';
  await server.platform.post(path, { id: tenant.id, limits }, z.unknown());
  const people: Person[] = [];
  for (let n = 0; n < PEOPLE; n++) people.push(await addPerson(server, tenant, n));
  const [first, ...others] = people;
  if (first === undefined) throw new Error('a shop without people');
  const at = (where: 'steady' | 'flaky') => `${origin}/${tenant.id}/${where}`;
  for (const workflow of workflows(at)) await createWorkflow(server, tenant, workflow);
  const { id: edited } = await createWorkflow(server, tenant, editedWorkflow(at('steady'), 0));
  return { ...tenant, people: [first, ...others], edited };
}

async function addPerson(server: Server, { keys }: Tenant, n: number): Promise<Person> {
  const admin = server.as(keys.admin);
  const role = n === 0 ? 'admin' : 'approver';
  const body = { name: `Person ${n}`, email: `person-${n}@example.com`, role };
  const made = await admin.post('/api/admin/members/create', body, z.object({ member }));
  const key = { name: 'Theirs', role, memberId: made.member.id };
  const answer = z.object({ apiKey: newApiKey });
  const { apiKey } = await admin.post('/api/admin/api-keys/create', key, answer);
  return { id: made.member.id, key: apiKey.secret, edits: n < PEOPLE / 2 };
}

function workflows(at: (where: 'steady' | 'flaky') => string): object[] {
  const post = (id: string, where: 'steady' | 'flaky', more: object = {}) => ({
    ...{ id, action: 'notify.webhook', ...PATIENT },
    with: { url: at(where), body: { event: '{{ event.id }}', step: id } },
    ...more,
  });
  return [
    on('custom.straight', [post('send', 'steady')]),
    on('custom.flaky', [post('send', 'flaky')]),
    on('custom.waits', [
      { id: 'nap', wait: '1s' },
      post('left', 'flaky', { needs: ['nap'] }),
      post('right', 'steady', { needs: ['nap'] }),
    ]),
    on('custom.gated', [post('send', 'flaky', { approval: { approvals: 2, expiresIn: '1h' } })]),
    on('custom.fleeting', [
      post('send', 'steady', { approval: { approvals: 3, expiresIn: '2s' } }),
    ]),
    on('custom.refund', [
      {
        ...{ id: 'refund', action: 'order.refund', ...PATIENT },
        with: { orderId: '{{ event.data.orderId }}', amount: '{{ event.data.amount }}' },
      },
      {
        ...{ id: 'tag', action: 'tag.order', ...PATIENT },
        with: { orderId: '{{ event.data.orderId }}', tag: 'refunded' },
      },
    ]),
    on('order.refunded', [
      {
        ...{ id: 'mail', action: 'notify.email', ...PATIENT },
        with: {
          to: 'buyer@example.com',
          subject: 'Refund {{ event.data.refund.id }}',
          text: 'It is on its way.',
        },
      },
    ]),
    on('custom.switch', [
      {
        ...{ id: 'flip', action: 'flag.enable', ...PATIENT },
        with: { key: '{{ event.data.key }}' },
      },
    ]),
    on('flags.changed', [post('tell', 'steady')]),
    on('custom.export', [
      { id: 'file', action: 'export.orders', with: { format: 'ndjson' }, retry: PATIENT.retry },
    ]),
    on('export.completed', [post('tell', 'steady')]),
  ];
}

export function editedWorkflow(url: string, edition: number): object {
  const body = { event: '{{ event.id }}', edition };
  return on('custom.edited', [
    { id: 'send', action: 'notify.webhook', ...PATIENT, with: { url, body } },
  ]);
}

function on(event: string, steps: readonly object[]): object {
  return { name: `On ${event}`, trigger: { event }, steps };
}
