/** A tenant that has at least one of everything, and what each of it is called. */
import { expect } from 'vitest';
import type { JsonObject } from '../../../src/contract/json.ts';
import { answer } from '../../fixtures/receiver/script.ts';
import { at, listAt, textAt } from './answers.ts';
import { eventually, newTenant, runWithStatus, type Tenant } from './api.ts';
import { firstKeyId } from './credentials.ts';
import { openAddress } from './real-receiver.ts';
import { createWorkflow, flagWorkflow, tagWorkflow } from './samples.ts';

/** By kind; a word of the tenant's own is in each that the tenant names itself. */
export type Ids = Readonly<Record<IdKind, string>>;
export type IdKind = (typeof ID_KINDS)[number];
export const ID_KINDS = [
  'event',
  'sender',
  'correlation',
  'run',
  'workflow',
  'approval',
  'audit',
  'key',
  'member',
  'delivery',
  'export',
  'order',
  'flag',
  'destination',
  'tenant',
] as const;

export interface Full {
  readonly tenant: Tenant;
  readonly ids: Ids;
  /** In everything that the tenant has named or sent. */
  readonly word: string;
}

export async function fullTenant(word: string): Promise<Full> {
  const tenant = await newTenant();
  const policy = { actions: { 'export.orders': { required: false } } };
  await tenant.post('/api/admin/approval-policy/update', policy);
  const workflow = await createWorkflow(tenant, gateOf(word));
  const sent = await tenant.events(orderOf(word));
  const run = textAt(sent, 'events.0.runs.0');
  const waiting = await runWithStatus(tenant, run, 'pending_approval');
  const member = { name: `Ada ${word}`, email: `ada@${word}.example.com`, role: 'admin' };
  const added = await tenant.post('/api/admin/members/create', member);
  await tenant.post('/api/admin/flags/set', { key: `flag-${word}`, enabled: true });
  const exported = await exportOf(tenant, word);
  const destination = await failingAddress(tenant, word);
  const delivery = textAt(await tenant.get('/api/admin/deliveries'), 'items.0.id');
  await tenant.post('/api/admin/audit/checkpoint', {});
  const audit = textAt(await tenant.get('/api/admin/audit'), 'items.0.id');
  return {
    tenant,
    word,
    ids: {
      event: textAt(sent, 'events.0.id'),
      sender: `sent-${word}`,
      correlation: `cause-${word}`,
      run,
      workflow,
      approval: textAt(waiting, 'run.approvals.0.id'),
      audit,
      key: await firstKeyId(tenant),
      member: textAt(added, 'member.id'),
      delivery,
      export: exported,
      order: `order-${word}`,
      flag: `flag-${word}`,
      destination,
      tenant: tenant.id,
    },
  };
}

function gateOf(word: string): JsonObject {
  const steps = [{ id: 'on', action: 'flag.enable', with: { key: `gate-${word}` } }];
  return flagWorkflow({ name: `Gate of ${word}`, steps });
}

function orderOf(word: string): JsonObject {
  const order = { id: `order-${word}`, name: word, total: { amount: 9_900, currency: 'USD' } };
  return {
    id: `sent-${word}`,
    source: `/${word}`,
    type: 'order.created',
    correlationid: `cause-${word}`,
    data: { order },
  };
}

async function exportOf(tenant: Tenant, word: string): Promise<string> {
  const steps = [{ id: 'out', action: 'export.orders', with: { format: 'csv' } }];
  const trigger = { event: 'custom.export' };
  await createWorkflow(tenant, tagWorkflow({ name: `Export of ${word}`, trigger, steps }));
  await tenant.events({ type: 'custom.export', data: {} });
  const done = await eventually(
    () => tenant.get('/api/admin/exports'),
    (list) => expect(at(list, 'items.0.status')).toBe('completed'),
  );
  return textAt(done, 'items.0.id');
}

/** An address that refuses: there is a delivery, and a record of a destination. */
async function failingAddress(tenant: Tenant, word: string): Promise<string> {
  const { url } = await openAddress([answer(500)]);
  const address = `${url}/${word}`;
  const step = { id: 'send', action: 'notify.webhook', with: { url: address } };
  const once = { ...step, retry: { attempts: 1 } };
  const trigger = { event: 'custom.send' };
  await createWorkflow(tenant, tagWorkflow({ name: `Send to ${word}`, trigger, steps: [once] }));
  await tenant.events({ type: 'custom.send', data: {} });
  await eventually(
    () => tenant.get('/api/admin/destinations'),
    (list) => expect(listAt(list)).toHaveLength(1),
  );
  await eventually(
    () => tenant.get('/api/admin/deliveries'),
    (list) => expect(listAt(list)).toHaveLength(1),
  );
  return address;
}
