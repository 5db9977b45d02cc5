/** A tenant's own list of hosts: it counts when an address is saved, and again when something is sent. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/contract/json.ts';
import { at, faultPaths, listAt } from '../support/answers.ts';
import { newTenant, runWithStatus, type Tenant } from '../support/api.ts';
import { createWorkflow } from '../support/samples.ts';

const SET = '/api/admin/connections/set';
const CREATE = '/api/admin/workflows/create';
const LISTED = 'https://hooks.example.com/in';
const ELSEWHERE = 'https://hooks.example.net/in';

let tenant: Tenant;
beforeEach(async () => {
  tenant = await newTenant();
});

async function allowOnly(...allow: string[]): Promise<void> {
  expect((await tenant.post(SET, { kind: 'destinations', allow })).status).toBe(200);
}

function sendingTo(...urls: string[]): JsonObject {
  const steps = urls.map((url, index) => ({
    id: `s${index}`,
    action: 'notify.webhook',
    needs: [],
    with: { url },
  }));
  return { name: 'Out', trigger: { event: 'custom.out' }, enabled: true, steps };
}

describe('when it is saved', () => {
  test('a workflow may name the hosts on the list, and each other one is a fault', async () => {
    await allowOnly('hooks.example.com', '*.example.org:8443');
    const good = sendingTo(LISTED, 'https://a.example.org:8443/', '{{ event.data.url }}');
    expect((await tenant.post(CREATE, good)).status).toBe(201);
    const bad = sendingTo(LISTED, ELSEWHERE, 'https://hooks.example.com:8443/');
    expect(faultPaths(await tenant.post(CREATE, bad))).toEqual([
      'steps.1.with.url',
      'steps.2.with.url',
    ]);
  });

  test('of an address with a template, the host is looked at once it is written out', async () => {
    await allowOnly('hooks.example.com');
    const { body } = await tenant.post(
      CREATE,
      sendingTo(
        'https://hooks.example.com/{{ event.id }}',
        'https://hooks.example.net/{{ event.id }}',
        'https://{{ event.data.host }}/in',
        'https://127.0.0.1?{{ event.id }}',
        'https://hooks.example.com{{ event.data.more }}/in',
      ),
    );
    expect(faultPaths({ body, text: '' })).toEqual(['steps.1.with.url']);
  });

  test('approvals are told of, and flags kept, nowhere else', async () => {
    await allowOnly('hooks.example.com');
    const policy = '/api/admin/approval-policy/update';
    expect((await tenant.post(policy, { notifyUrl: LISTED })).status).toBe(200);
    expect(faultPaths(await tenant.post(policy, { notifyUrl: ELSEWHERE }))).toEqual(['notifyUrl']);
    const place = { service: 'unleash', environment: 'production', apiToken: 'token-0123456789' };
    const flags = await tenant.post(SET, { kind: 'flags', url: ELSEWHERE, ...place });
    expect(faultPaths(flags)).toEqual(['url']);
  });

  test('the list says which of its entries is none', async () => {
    const allow = ['hooks.example.com', 'https://hooks.example.com', 'hooks.example.com:22'];
    const answer = await tenant.post(SET, { kind: 'destinations', allow });
    expect(faultPaths(answer)).toEqual(['allow.1', 'allow.2']);
    expect((await tenant.post(SET, { kind: 'destinations', allow: [] })).status).toBe(400);
  });

  test('the list can be read back, tried and taken away', async () => {
    await allowOnly('Hooks.Example.com', '*.example.org');
    const listed = await tenant.get('/api/admin/connections', 'admin');
    const allow = 'hooks.example.com *.example.org';
    expect(listAt(listed)).toContainEqual(
      expect.objectContaining({ kind: 'destinations', settings: { allow }, secrets: [] }),
    );
    const tried = await tenant.post('/api/admin/connections/test', { kind: 'destinations' });
    expect(at(tried, 'ok')).toBe(true);
    await tenant.post('/api/admin/connections/remove', { kind: 'destinations' });
    expect((await tenant.post(CREATE, sendingTo(ELSEWHERE))).status).toBe(201);
  });
});

describe('when something is sent', () => {
  async function ended(url: string) {
    const sent = await tenant.events({ type: 'custom.out', data: { url } });
    const id = String(at(sent, 'events.0.runs.0'));
    return await runWithStatus(tenant, id, 'failed');
  }

  test('the list of now counts, not the one of the time of saving', async () => {
    await createWorkflow(tenant, sendingTo(ELSEWHERE));
    await allowOnly('hooks.example.com');
    const failed = await ended('');
    expect(at(failed, 'run.steps.0.error.code')).toBe('destination_refused');
    expect(at(failed, 'run.steps.0.attempts')).toBe(1);
    expect(listAt(await tenant.get('/api/admin/deliveries'))).toEqual([]);
  });

  test.each([
    ELSEWHERE,
    'https://hooks.example.com:8443/in',
    'https://hooks.example.com@hooks.example.net/in',
    'https://hooks.example.com.hooks.example.net/in',
    'https://HOOKS.EXAMPLE.COM\t.hooks.example.net/in',
  ])('what a template makes of an event is held against it: %j', async (url) => {
    await allowOnly('hooks.example.com');
    await createWorkflow(tenant, sendingTo('{{ event.data.url }}'));
    const failed = await ended(url);
    expect(at(failed, 'run.steps.0.error.code')).toMatch(/destination_refused|input_invalid/);
    expect(listAt(await tenant.get('/api/admin/deliveries'))).toEqual([]);
  });
});
