/** A tenant's approval policy and connections. */
import { describe, expect, test } from 'vitest';
import { isJsonObject, type Json } from '../../../src/contract/json.ts';
import { at, faultPaths, fieldsOf, listAt, textAt } from '../support/answers.ts';
import { newTenant, type Tenant } from '../support/api.ts';
import { createWorkflow, flagWorkflow, orderEvent } from '../support/samples.ts';

const POLICY = '/api/admin/approval-policy';
const UPDATE = '/api/admin/approval-policy/update';
const CONNECTIONS = '/api/admin/connections';

/** What a risky action needs unless the tenant says otherwise; silence never approves. */
const RISKY = {
  required: true,
  approvals: 1,
  expiresIn: '72h',
  onExpire: 'deny',
  selfApproval: false,
};

/** One action's rule, as the policy has it now. */
async function ruleOf(tenant: Tenant, action: string): Promise<Json | undefined> {
  const actions = at(await tenant.get(POLICY), 'actions');
  return isJsonObject(actions) ? actions[action] : undefined;
}

describe('the approval policy', () => {
  test('has a rule for every action; risky ones need a person by default', async () => {
    const tenant = await newTenant();
    const { body } = await tenant.get(POLICY);
    expect(body.actions).toMatchObject({
      'order.refund': RISKY,
      'order.cancel': RISKY,
      'export.orders': RISKY,
      'flag.enable': RISKY,
      'flag.disable': RISKY,
      'tag.order': { required: false },
      'notify.email': { required: false },
      'notify.webhook': { required: false },
    });
  });

  test('an update changes what it names, the next read shows it, and null takes it back', async () => {
    const tenant = await newTenant();
    const standard = await ruleOf(tenant, 'order.refund');
    if (!isJsonObject(standard)) throw new Error('no rule');
    const update = (actions: Json) => tenant.post(UPDATE, { actions });
    await update({
      'order.refund': { approvals: 3, expiresIn: '4h' },
      'tag.order': { required: true },
    });
    expect(await ruleOf(tenant, 'order.refund')).toEqual({
      ...standard,
      approvals: 3,
      expiresIn: '4h',
    });
    await update({ 'order.refund': { approvals: 2 } });
    expect(await ruleOf(tenant, 'order.refund')).toEqual({
      ...standard,
      approvals: 2,
      expiresIn: '4h',
    });
    const reset = await update({ 'order.refund': null });
    expect(reset.body.actions).toMatchObject({ 'tag.order': { required: true } });
    expect(await ruleOf(tenant, 'order.refund')).toEqual(standard);
  });

  test.each([
    [{ 'order.explode': { approvals: 1 } }, 'actions.order.explode'],
    [{ toString: { approvals: 1 } }, 'actions.toString'],
    [{ 'order.refund': { approvals: 0 } }, 'actions.order.refund.approvals'],
    [{ 'order.refund': { approvals: 21 } }, 'actions.order.refund.approvals'],
    [{ 'order.refund': { roles: ['viewer'] } }, 'actions.order.refund.roles.0'],
    [{ 'order.refund': { expiresIn: '367d' } }, 'actions.order.refund.expiresIn'],
    [{ 'order.refund': { onExpire: 'approve' } }, 'actions.order.refund.onExpire'],
    [{ 'order.refund': { silent: true } }, 'actions.order.refund.silent'],
  ])('%j is refused at its path and changes nothing', async (actions, path) => {
    const tenant = await newTenant();
    const before = (await tenant.get(POLICY)).body.actions;
    const answer = await tenant.post(UPDATE, {
      actions: { ...actions, 'tag.order': { required: true } },
    });
    expect(answer.status).toBe(400);
    expect(faultPaths(answer)).toEqual([path]);
    expect((await tenant.get(POLICY)).body.actions).toEqual(before);
  });

  test('an action that needs nobody any more runs at the next event', async () => {
    const tenant = await newTenant();
    await createWorkflow(tenant, flagWorkflow());
    await tenant.post(UPDATE, { actions: { 'flag.enable': { required: false } } });
    await tenant.events(orderEvent());
    await expect
      .poll(async () => fieldsOf(await tenant.get('/api/admin/flags'), 'key'), { timeout: 10_000 })
      .toEqual(['sale']);
  });
});

describe('connections', () => {
  const secrets = {
    webhookSecret: 'shop-webhook-secret-1',
    adminToken: 'shpat_0123456789abcdef',
  };
  const shopify = { kind: 'shopify', shopDomain: 'Example.MyShopify.com', ...secrets };
  const stripe = { kind: 'stripe', webhookSecret: 'whsec_stripe_secret_1', apiKey: 'sk_test_0123' };

  test('a tenant starts with a signing secret of its own', async () => {
    const list = await (await newTenant()).get(CONNECTIONS, 'admin');
    expect(listAt(list)).toMatchObject([{ kind: 'webhook', secrets: ['signingSecret'] }]);
  });

  test('secrets go in and never come out: not from the list, the audit trail or the database', async () => {
    const tenant = await newTenant();
    const texts = [];
    for (const body of [shopify, stripe]) {
      const set = await tenant.post(`${CONNECTIONS}/set`, body);
      expect(set.status).toBe(200);
      texts.push(set.text);
    }
    const list = await tenant.get(CONNECTIONS, 'admin');
    expect(fieldsOf(list, 'kind').toSorted()).toEqual(['shopify', 'stripe', 'webhook']);
    const trail = await tenant.get('/api/admin/audit');
    expect(fieldsOf(trail, 'action').filter((action) => action === 'connection.set')).toHaveLength(
      2,
    );
    texts.push(list.text, trail.text);
    const all = [...Object.values(secrets), stripe.webhookSecret, stripe.apiKey];
    for (const secret of all) for (const text of texts) expect(text).not.toContain(secret);
    expect(texts.join()).toContain('example.myshopify.com');
  });

  test('setting one again replaces it whole: a secret left out is gone', async () => {
    const tenant = await newTenant();
    await tenant.post(`${CONNECTIONS}/set`, stripe);
    const { apiKey: _key, ...less } = stripe;
    const set = await tenant.post(`${CONNECTIONS}/set`, less);
    expect(at(set, 'connection.secrets')).toEqual(['webhookSecret']);
  });

  test('one can be removed, once', async () => {
    const tenant = await newTenant();
    await tenant.post(`${CONNECTIONS}/set`, stripe);
    const remove = () => tenant.post(`${CONNECTIONS}/remove`, { kind: 'stripe' });
    expect((await remove()).body.removed).toBe('stripe');
    expect((await remove()).status).toBe(404);
    expect(fieldsOf(await tenant.get(CONNECTIONS, 'admin'), 'kind')).toEqual(['webhook']);
  });

  test('rotating makes a new signing secret, shown once, with the former one in its overlap', async () => {
    const tenant = await newTenant();
    const rotated = await tenant.post(`${CONNECTIONS}/rotate`, { kind: 'webhook' });
    const secret = textAt(rotated, 'signingSecret');
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(at(rotated, 'connection.secrets')).toEqual(['signingSecret', 'previousSigningSecret']);
    const until = Date.parse(textAt(rotated, 'connection.settings.previousUntil'));
    expect(Math.abs(until - Date.now() - 86_400_000)).toBeLessThan(60_000);
    for (const path of [CONNECTIONS, '/api/admin/audit'])
      expect((await tenant.get(path, 'admin')).text).not.toContain(secret);
    const again = await tenant.post(`${CONNECTIONS}/rotate`, { kind: 'webhook' });
    expect(textAt(again, 'signingSecret')).not.toBe(secret);
  });

  test.each([
    [{ kind: 'ftp' }, 'kind'],
    [{ ...stripe, webhookSecret: 'short' }, 'webhookSecret'],
    [{ ...stripe, webhookSecret: 'with a space' }, 'webhookSecret'],
    [{ ...shopify, shopDomain: 'https://example.com' }, 'shopDomain'],
    [{ ...shopify, apiKey: 'not-of-this-kind' }, 'apiKey'],
    [{ kind: 'webhook', signingSecret: 'whsec_short' }, 'signingSecret'],
    [{ kind: 'webhook', signingSecret: `whsec_${'A'.repeat(33)}` }, 'signingSecret'],
    [{ kind: 'webhook', signingSecret: `whsec_${'A'.repeat(34)}` }, 'signingSecret'],
    [{ kind: 'webhook', signingSecret: `whsec_${'A'.repeat(88)}` }, 'signingSecret'],
  ])('%j is refused at its path', async (body, path) => {
    const answer = await (await newTenant()).post(`${CONNECTIONS}/set`, body);
    expect(answer.status).toBe(400);
    expect(faultPaths(answer)).toContain(path);
    for (const secret of Object.values(secrets)) expect(answer.text).not.toContain(secret);
  });
});
