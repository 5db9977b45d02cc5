/** Mail in the runtime: the adapters on the real bindings, and a run whose mail knows no key. */
import { env } from 'cloudflare:workers';
import { afterEach, expect, test, vi } from 'vitest';
import type { JsonObject } from '../../src/contract/json.ts';
import { RunObject } from '../../src/objects/run.ts';
import { listMailbox, localMailbox } from '../../src/ports/email.ts';
import { cloudflareEmail, type EmailBinding } from '../../src/ports/email-cloudflare.ts';
import { emailConformance } from '../fixtures/email-conformance.ts';
import type { BindingMail } from '../fixtures/vendors/cloudflare-email.ts';
import { at, textAt } from './support/answers.ts';
import { newTenant, runWithStatus } from './support/api.ts';
import { createWorkflow, startRun } from './support/samples.ts';

emailConformance('the local mailbox', {
  open: () => localMailbox(env.DB),
  keepsAddresses: true,
  async sent(tenantId) {
    const { items } = await listMailbox(env.DB, tenantId, { limit: 200, after: null });
    return items.map((mail) => ({ ...mail, from: null, headers: null })).toReversed();
  },
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** The runtime's own binding takes what is sent; it is kept here on its way. */
const taken: Parameters<EmailBinding['send']>[0][] = [];
const binding: EmailBinding = {
  async send(mail) {
    const { EMAIL } = env;
    if (EMAIL === undefined) throw new Error('there is no binding');
    const sent = await EMAIL.send(mail);
    taken.push(mail);
    return sent;
  },
};
const partyText = (party: BindingMail['from']) => {
  if (typeof party === 'string') return party;
  return `${party.name.includes(',') ? `"${party.name}"` : party.name} <${party.email}>`;
};

emailConformance("the adapter on the runtime's email binding", {
  open: (unsubscribe) =>
    cloudflareEmail({
      ...{ binding, unsubscribe },
      from: { name: 'Orders', address: 'orders@shop.example.com' },
    }),
  sent: async () =>
    taken.map(({ from, to, subject, text = null, html = null, headers }) => ({
      ...{ from: partyText(from), to: to.map(partyText), subject, text, html, headers },
    })),
});

const CLOUDFLARE = {
  kind: 'email',
  service: 'cloudflare',
  from: 'Orders <orders@shop.example.com>',
};

/** Whether a run that only sends a mail was moved into an object; its answer. */
async function mailRun(connection: JsonObject | null) {
  const tenant = await newTenant();
  if (connection !== null)
    expect((await tenant.post('/api/admin/connections/set', connection)).status).toBe(200);
  const mail = { to: 'ada@example.com', subject: 'Hi', html: '<p>{{ event.data.order.id }}</p>' };
  const steps = [{ id: 'mail', action: 'notify.email', with: mail }];
  const trigger = { event: 'order.created' };
  await createWorkflow(tenant, { name: 'Mail', trigger, steps, enabled: true });
  const adopted = vi.spyOn(RunObject.prototype, 'adopt');
  const run = await runWithStatus(tenant, await startRun(tenant), 'succeeded');
  const moved = adopted.mock.calls.map(([{ seed }]) => seed.runId);
  return { run, hasObject: moved.includes(textAt(run, 'run.id')) };
}

test('a mail without a key is written down before it is sent: its run has an object', async () => {
  const { run, hasObject } = await mailRun(CLOUDFLARE);
  expect(hasObject).toBe(true);
  expect(at(run, 'run.steps.0.attempts')).toBe(1);
  expect(textAt(run, 'run.steps.0.output.messageId')).toMatch(/@shop\.example\.com>?$/);
  expect((await mailRun(null)).hasObject).toBe(false);
});
