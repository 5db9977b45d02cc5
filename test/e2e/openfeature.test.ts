/**
 * Flags from the started server by OpenFeature's own SDKs and OFREP providers, without any code of ours
 * between them; and flags that an Unleash keeps, switched by a workflow.
 */
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { OpenFeature as ServerSdk } from '@openfeature/server-sdk';
import { ProviderEvents, OpenFeature as WebSdk } from '@openfeature/web-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { flagState } from '../../src/contract/flags.ts';
import { newApiKey } from '../../src/contract/tenants.ts';
import { openUnleash, type StandInUnleash, UNLEASH_TOKEN } from '../fixtures/vendors/unleash.ts';
import { newPlace, type Place, removePlace, type Server, startServer } from './support/server.ts';
import {
  connect,
  createWorkflow,
  listEvents,
  newSigningSecret,
  openTenant,
  postEvents,
  runIn,
  type Tenant,
} from './support/tenant.ts';
import { until } from './support/wait.ts';

const oneKey = z.object({ apiKey: newApiKey });

let place: Place;
let server: Server;
let tenant: Tenant;
let pageKey: { readonly id: string; readonly secret: string };
beforeAll(async () => {
  place = await newPlace();
  server = await startServer(place);
  tenant = await openTenant(server, newSigningSecret());
  pageKey = await frontendKey();
  await setFlag('sale', true);
  await setFlag('beta', false);
});
afterAll(async () => {
  await Promise.all([ServerSdk.close(), WebSdk.close()]);
  await server?.stop();
  removePlace(place);
});

const admin = () => server.as(tenant.keys.admin);

async function frontendKey(): Promise<{ id: string; secret: string }> {
  const body = { name: 'Page', role: 'frontend' };
  return (await admin().post('/api/admin/api-keys/create', body, oneKey)).apiKey;
}

async function setFlag(key: string, enabled: boolean): Promise<void> {
  const answer = z.object({ flag: flagState });
  await admin().post('/api/admin/flags/set', { key, enabled }, answer);
}

const optionsFor = (secret: string) => ({
  baseUrl: server.origin,
  headers: [['Authorization', `Bearer ${secret}`]] satisfies [string, string][],
});

describe('the server SDK', () => {
  const context = { targetingKey: 'visitor-7', plan: 'free' };
  const clientFor = async (domain: string, secret: string) => {
    await ServerSdk.setProviderAndWait(domain, new OFREPProvider(optionsFor(secret)));
    return ServerSdk.getClient(domain);
  };

  it('evaluates flags, and sees a change at once', async () => {
    const client = await clientFor('live', pageKey.secret);
    expect(await client.getBooleanDetails('sale', false, context)).toMatchObject({
      value: true,
      variant: 'on',
      reason: 'STATIC',
    });
    expect(await client.getBooleanValue('beta', true, context)).toBe(false);
    await setFlag('beta', true);
    expect(await client.getBooleanValue('beta', false, context)).toBe(true);
    await setFlag('beta', false);
  });

  it.each([true, false])(
    'takes the code’s default (%s) of a flag that was never set',
    async (own) => {
      const client = await clientFor('live', pageKey.secret);
      expect(await client.getBooleanDetails('never', own, context)).toMatchObject({
        value: own,
        reason: 'ERROR',
        errorCode: 'FLAG_NOT_FOUND',
      });
    },
  );

  it('says that a flag is no text', async () => {
    const client = await clientFor('live', pageKey.secret);
    expect(await client.getStringDetails('sale', 'none', context)).toMatchObject({
      value: 'none',
      errorCode: 'TYPE_MISMATCH',
    });
  });

  it('takes the default once its key is revoked', async () => {
    const key = await frontendKey();
    const client = await clientFor('revoked', key.secret);
    expect(await client.getBooleanValue('sale', false, context)).toBe(true);
    await admin().post('/api/admin/api-keys/revoke', { id: key.id }, z.unknown());
    expect(await client.getBooleanDetails('sale', false, context)).toMatchObject({
      value: false,
      reason: 'ERROR',
    });
  });
});

describe('the web SDK', () => {
  it('loads all flags, polls by the ETag, and tells the page of a change', async () => {
    const statuses: number[] = [];
    const watched: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init);
      statuses.push(answer.status);
      return answer;
    };
    const provider = new OFREPWebProvider({
      ...optionsFor(pageKey.secret),
      fetchImplementation: watched,
      cacheMode: 'disabled',
      pollInterval: 100,
    });
    await WebSdk.setProviderAndWait(provider, { targetingKey: 'visitor-7' });
    const client = WebSdk.getClient();
    expect(client.getBooleanDetails('sale', false)).toMatchObject({ value: true, variant: 'on' });
    expect(client.getBooleanValue('beta', true)).toBe(false);
    expect(client.getBooleanDetails('never', true)).toMatchObject({
      value: true,
      errorCode: 'FLAG_NOT_FOUND',
    });
    await until('a poll that brings nothing new', () => statuses.includes(304));
    const changed = new Promise<unknown>((resolve) => {
      client.addHandler(ProviderEvents.ConfigurationChanged, (details) =>
        resolve(details?.flagsChanged),
      );
    });
    await setFlag('beta', true);
    expect(await changed).toEqual(['beta']);
    expect(client.getBooleanValue('beta', false)).toBe(true);
    expect(new Set(statuses)).toEqual(new Set([200, 304]));
  });
});

describe('an Unleash', () => {
  let unleash: StandInUnleash;
  beforeAll(async () => {
    unleash = await openUnleash();
  });
  afterAll(() => unleash.close());

  it('is switched by a workflow, through an outage, and the change is an event', async () => {
    const shop = await openTenant(server, newSigningSecret());
    const made = await fetch(`${unleash.origin}/api/admin/projects/default/features`, {
      method: 'POST',
      headers: { authorization: UNLEASH_TOKEN },
      body: JSON.stringify({ name: 'instant-refunds' }),
    });
    expect(made.status).toBe(201);
    await connect(server, shop, {
      kind: 'flags',
      service: 'unleash',
      url: unleash.origin,
      environment: 'production',
      apiToken: UNLEASH_TOKEN,
    });
    await server
      .as(shop.keys.admin)
      .post(
        '/api/admin/approval-policy/update',
        { actions: { 'flag.enable': { required: false } } },
        z.unknown(),
      );
    await createWorkflow(server, shop, {
      name: 'On',
      trigger: { event: 'custom.on' },
      steps: [
        {
          id: 'on',
          action: 'flag.enable',
          with: { key: 'instant-refunds' },
          retry: { delay: '1s' },
        },
      ],
    });
    unleash.fail('dropped');
    unleash.fail('droppedAfter', ({ method }) => method === 'POST');
    const [accepted] = await postEvents(server, shop, { type: 'custom.on', data: {} });
    const run = await runIn(server, shop, accepted?.runs[0] ?? '', 'succeeded');
    expect(run.steps).toMatchObject([{ attempts: 3, output: { changed: true } }]);
    expect(unleash.isOn('instant-refunds', 'production')).toBe(true);
    const events = await listEvents(server, shop, 'type=flags.changed');
    expect(events.map(({ data }) => data)).toEqual([
      { flag: { key: 'instant-refunds', enabled: true }, previous: false },
    ]);
  });
});
