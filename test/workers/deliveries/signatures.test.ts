/**
 * Signatures as receivers check them: with the packages of the standard and of Svix for `v1`, with the
 * public key alone, in another program, for `v1a`; before, during and after a rotation.
 */
import { env } from 'cloudflare:workers';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { afterEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { signWebhook } from '../../../src/ports/webhook-signature.ts';
import type { Taken } from '../../fixtures/receiver/script.ts';
import { listAt, textAt } from '../support/answers.ts';
import { newTenant, send, type Tenant } from '../support/api.ts';
import { openAddress, type RealAddress, verifiesElsewhere } from '../support/real-receiver.ts';
import {
  auditOf,
  forward,
  HOUR_MS,
  passTime,
  realTime,
  type Sending,
  sendAndEnd,
  sendingTenant,
} from './support.ts';

afterEach(realTime);

const SET = '/api/admin/connections/set';
const ROTATE = '/api/admin/connections/rotate';
const OVERLAP_MS = 24 * HOUR_MS;

/** A tenant with one workflow, and what its next webhook looks like to the receiver. */
async function sender(): Promise<Sending & { address: RealAddress; next(): Promise<Taken> }> {
  const sending = await sendingTenant();
  const address = await openAddress();
  await forward(sending.tenant, address.url);
  const next = async () => {
    await sendAndEnd(sending.tenant, { note: 'Zoë' });
    const last = (await address.taken()).at(-1);
    if (last === undefined) throw new Error('nothing came');
    return last;
  };
  return { ...sending, address, next };
}

function schemesOf({ headers }: Taken): string[] {
  return (headers['webhook-signature'] ?? '').split(' ').map((one) => one.split(',')[0] ?? '');
}

/** By both packages, which have to agree. */
function verifies(secret: string, { body, headers }: Taken): boolean {
  const verdicts = [new Webhook(secret), new SvixWebhook(secret)].map((library) => {
    try {
      library.verify(body, { ...headers });
      return true;
    } catch {
      return false;
    }
  });
  expect(new Set(verdicts).size).toBe(1);
  return verdicts[0] === true;
}

async function verifiesByKey(publicKey: string, { headers, body }: Taken): Promise<boolean> {
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  return await verifiesElsewhere({
    publicKey,
    content,
    header: headers['webhook-signature'] ?? '',
  });
}

const publicKeys = z.array(z.object({ publicKey: z.string(), until: z.string().nullable() }));

/** As anybody reads them, without a credential. */
async function keysOf(tenant: Tenant): Promise<z.infer<typeof publicKeys>> {
  const answer = await send('GET', `/.well-known/webhook-keys/${tenant.id}`);
  return answer.status === 404 ? [] : publicKeys.parse(listAt(answer, 'keys'));
}

async function rotate(tenant: Tenant, key: 'signingSecret' | 'signingKey') {
  const rotated = await tenant.post(ROTATE, { kind: 'webhook', key });
  expect(rotated.status, rotated.text).toBe(200);
  return rotated;
}

describe('in this runtime', () => {
  const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
  const BODY = '{"test": 2432232314}';

  test.each([
    [
      'v1',
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    ],
    [
      'v1a',
      'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==',
      'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
    ],
  ])('the published signature of %s comes out', async (_scheme, key, signature) => {
    expect(await signWebhook([key], ID, 1614265330, BODY)).toBe(signature);
  });
});

describe('a shared secret', () => {
  test('verifies by both packages, and nothing that was changed does', async () => {
    const { secret, next } = await sender();
    const taken = await next();
    expect(schemesOf(taken)).toEqual(['v1']);
    expect(verifies(secret, taken)).toBe(true);
    expect(verifies(secret, { ...taken, body: `${taken.body} ` })).toBe(false);
    for (const [name, value] of [
      ['webhook-id', 'run_1_send'],
      ['webhook-timestamp', String(Number(taken.headers['webhook-timestamp']) - 1)],
    ] as const)
      expect(verifies(secret, { ...taken, headers: { ...taken.headers, [name]: value } })).toBe(
        false,
      );
  });

  test.each([24, 32, 64])('may have %d bytes', async (length) => {
    const { tenant, next } = await sender();
    const bytes = crypto.getRandomValues(new Uint8Array(length));
    const signingSecret = `whsec_${btoa(String.fromCharCode(...bytes))}`;
    await tenant.post(SET, { kind: 'webhook', signingSecret });
    expect(verifies(signingSecret, await next())).toBe(true);
  });

  test('is made with the tenant: what it sends is signed from the first webhook on', async () => {
    const tenant = await newTenant();
    const address = await openAddress();
    await forward(tenant, address.url);
    await sendAndEnd(tenant);
    expect((await address.taken()).map(schemesOf)).toEqual([['v1']]);
  });

  test('of another tenant signs something else', async () => {
    const [mine, theirs] = [await sender(), await sender()];
    expect(verifies(theirs.secret, await mine.next())).toBe(false);
    expect(verifies(mine.secret, await theirs.next())).toBe(false);
  });
});

describe('while a shared secret is rotated', () => {
  test('receivers with the old one and with the new one verify, and after a day the new one alone', async () => {
    const { tenant, secret: old, next } = await sender();
    const fresh = textAt(await rotate(tenant, 'signingSecret'), 'signingSecret');
    const during = await next();
    expect(schemesOf(during)).toEqual(['v1', 'v1']);
    expect([verifies(old, during), verifies(fresh, during)]).toEqual([true, true]);
    passTime(OVERLAP_MS - 60_000);
    expect(verifies(old, await next())).toBe(true);
    passTime(60_000);
    const after = await next();
    expect(schemesOf(after)).toEqual(['v1']);
    expect([verifies(old, after), verifies(fresh, after)]).toEqual([false, true]);
  });

  test('a second rotation ends the first one: there are never three', async () => {
    const { tenant, secret: first, next } = await sender();
    const second = textAt(await rotate(tenant, 'signingSecret'), 'signingSecret');
    const third = textAt(await rotate(tenant, 'signingSecret'), 'signingSecret');
    const taken = await next();
    expect([first, second, third].map((secret) => verifies(secret, taken))).toEqual([
      false,
      true,
      true,
    ]);
  });

  test('of two rotations at once one is told to ask again: no secret is shown that signs nothing', async () => {
    const { tenant, next } = await sender();
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => tenant.post(ROTATE, { kind: 'webhook' })),
    );
    const shown = answers.filter(({ status }) => status === 200);
    expect(shown.length).toBeGreaterThanOrEqual(1);
    expect(answers.filter(({ status }) => status === 409).length).toBe(4 - shown.length);
    expect((await auditOf(tenant, 'connection.rotated')).length).toBe(shown.length);
    const last = shown.map((answer) => textAt(answer, 'signingSecret'));
    const taken = await next();
    expect(last.filter((secret) => verifies(secret, taken))).toHaveLength(Math.min(last.length, 2));
  });
});

describe('an Ed25519 key', () => {
  test('signs beside the secret, and its public key is enough to verify', async () => {
    const { tenant, secret, next } = await sender();
    expect(await keysOf(tenant)).toEqual([]);
    const rotated = await rotate(tenant, 'signingKey');
    expect(rotated.text).not.toContain('whsk_');
    const keys = await keysOf(tenant);
    expect(keys).toEqual([
      { publicKey: textAt(rotated, 'connection.settings.publicKey'), until: null },
    ]);
    const taken = await next();
    expect(schemesOf(taken)).toEqual(['v1', 'v1a']);
    expect(verifies(secret, taken)).toBe(true);
    const [{ publicKey } = { publicKey: '' }] = keys;
    expect(await verifiesByKey(publicKey, taken)).toBe(true);
    expect(await verifiesByKey(publicKey, { ...taken, body: `${taken.body} ` })).toBe(false);
  });

  test('rotates as the secret does: two public keys for a day, then one', async () => {
    const { tenant, next } = await sender();
    await rotate(tenant, 'signingKey');
    const [old] = await keysOf(tenant);
    await rotate(tenant, 'signingKey');
    const [fresh, former, ...more] = await keysOf(tenant);
    expect(more).toEqual([]);
    expect(fresh?.until).toBeNull();
    expect(former?.publicKey).toBe(old?.publicKey);
    expect(Date.parse(former?.until ?? '') - Date.now()).toBeGreaterThan(OVERLAP_MS - HOUR_MS);
    const during = await next();
    expect(schemesOf(during)).toEqual(['v1', 'v1a', 'v1a']);
    for (const { publicKey } of [fresh, former].flatMap((key) => key ?? []))
      expect(await verifiesByKey(publicKey, during)).toBe(true);
    passTime(OVERLAP_MS);
    const after = await next();
    expect(schemesOf(after)).toEqual(['v1', 'v1a']);
    expect(await keysOf(tenant)).toEqual([fresh]);
    expect(await verifiesByKey(fresh?.publicKey ?? '', after)).toBe(true);
    expect(await verifiesByKey(former?.publicKey ?? '', after)).toBe(false);
  });

  test('that the tenant brings may stand alone: receivers then share no secret with anybody', async () => {
    const { tenant, secret, next } = await sender();
    const seed = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
    const set = await tenant.post(SET, { kind: 'webhook', signingKey: `whsk_${seed}` });
    const taken = await next();
    expect(schemesOf(taken)).toEqual(['v1a']);
    expect(verifies(secret, taken)).toBe(false);
    const publicKey = textAt(set, 'connection.settings.publicKey');
    expect(await verifiesByKey(publicKey, taken)).toBe(true);
  });

  test('of another tenant verifies nothing of this one; of nobody there is none', async () => {
    const [mine, theirs] = [await sender(), await sender()];
    for (const { tenant } of [mine, theirs]) await rotate(tenant, 'signingKey');
    const [key] = await keysOf(theirs.tenant);
    expect(await verifiesByKey(key?.publicKey ?? '', await mine.next())).toBe(false);
    for (const id of ['nobody-at-all', 'Not.A.Tenant', `${mine.tenant.id}%2F..`])
      expect((await send('GET', `/.well-known/webhook-keys/${id}`)).status).toBe(404);
  });
});

test('keys are stored sealed, and no answer shows one again', async () => {
  const { tenant, secret } = await sender();
  const shown = textAt(await rotate(tenant, 'signingSecret'), 'signingSecret');
  await rotate(tenant, 'signingKey');
  const stored = await env.TENANTS.getByName(`t:${tenant.id}`).sealedConnection('webhook');
  const list = await tenant.get('/api/admin/connections', 'admin');
  const audit = await tenant.get('/api/admin/audit?limit=200');
  const words = [secret, shown].map((text) => text.slice('whsec_'.length));
  for (const text of [JSON.stringify(stored), list.text, audit.text])
    for (const word of [...words, 'whsk_']) expect(text).not.toContain(word);
});
