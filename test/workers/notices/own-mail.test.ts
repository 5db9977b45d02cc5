/**
 * Our own mails on their way: by which service, what happens when it fails, when nobody knows, and when
 * there is none. Resend is asked for real but for the network in between.
 */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { tenantObject } from '../../../src/objects/index.ts';
import type { NoticeRecipient } from '../../../src/objects/messages.ts';
import { type Fate, type Letter, sendLetter } from '../../../src/objects/own-mail.ts';
import type { PortEnv } from '../../../src/ports/open.ts';
import { openBinding, type StandInBinding } from '../../fixtures/vendors/cloudflare-email.ts';
import { disturb, passTime } from '../objects/support/disturb.ts';
import { newTenant, type Tenant } from '../support/api.ts';
import { createWorkflow, flagWorkflow, startRun } from '../support/samples.ts';
import { addPerson } from './support.ts';

const RESEND = {
  ...{ kind: 'email', service: 'resend', from: 'Shop <orders@shop.example.com>' },
  ...{ apiKey: 're_0123456789', unsubscribe: 'https://shop.example.com/out' },
} as const;

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

interface Asked {
  readonly key: string;
  readonly body: { to: string[]; text: string; headers: Record<string, string> };
}

/** What Resend is asked, and what it answers to whom. */
function resendAnswers(answer: (to: string, times: number) => Response): Asked[] {
  const asked: Asked[] = [];
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    expect(String(input)).toBe('https://api.resend.com/emails');
    const key = new Headers(init?.headers).get('idempotency-key') ?? '';
    const body: Asked['body'] = JSON.parse(String(init?.body));
    asked.push({ key, body });
    const [to = ''] = body.to;
    return answer(to, asked.filter((one) => one.body.to[0] === to).length);
  });
  return asked;
}
const fine = () => Response.json({ id: 'm1' });
const toWhom = (asked: readonly Asked[]) => asked.map(({ body }) => body.to[0]).toSorted();

/** A tenant with people who may approve, and a request that waits for them. */
async function asking(tenant: Tenant, ...names: string[]): Promise<Tenant> {
  for (const name of names) await addPerson(tenant, name, 'approver');
  await createWorkflow(tenant, flagWorkflow());
  await startRun(tenant);
  return tenant;
}

async function withResend(): Promise<Tenant> {
  const tenant = await newTenant();
  expect((await tenant.post('/api/admin/connections/set', RESEND)).status).toBe(200);
  return tenant;
}

async function waitingMails({ id }: Tenant): Promise<{ due_at: number; tries: number }[]> {
  return await runInDurableObject(tenantObject(env, id), (_instance, { storage }) =>
    storage.sql
      .exec<{ due_at: number; tries: number }>('SELECT due_at, tries FROM mails')
      .toArray(),
  );
}

/** Waits until so many were asked for, and none is left. */
async function untilSent(tenant: Tenant, asked: readonly Asked[], count: number): Promise<void> {
  await vi.waitFor(() => expect(asked.length).toBeGreaterThanOrEqual(count), { timeout: 15_000 });
  await vi.waitFor(async () => expect(await waitingMails(tenant)).toEqual([]), { timeout: 10_000 });
}

describe('an approval mail', () => {
  test("goes by the tenant's mail service, with a link, and without a way out of it", async () => {
    const asked = resendAnswers(fine);
    await untilSent(await asking(await withResend(), 'ann', 'bob'), asked, 2);
    expect(toWhom(asked)).toEqual(['ann@example.com', 'bob@example.com']);
    for (const { body } of asked) {
      expect(body.text).toMatch(/https:\/\/api\.test\/approvals\/\S+/);
      expect(body.headers).toMatchObject({ 'Auto-Submitted': 'auto-generated' });
      expect(Object.keys(body.headers).join()).not.toContain('List-');
    }
  });

  test('that fails is tried again, under the same key, and no other one is', async () => {
    const down = () => Response.json({ name: 'application_error', message: '' }, { status: 500 });
    const asked = resendAnswers((to, times) =>
      to.startsWith('ann') && times < 3 ? down() : fine(),
    );
    vi.spyOn(console, 'log').mockImplementation(() => {});
    await untilSent(await asking(await withResend(), 'ann', 'bob', 'cy'), asked, 5);
    const ann = 'ann@example.com';
    expect(toWhom(asked)).toEqual([ann, ann, ann, 'bob@example.com', 'cy@example.com']);
    expect(new Set(asked.map(({ key }) => key)).size).toBe(3);
    const texts = asked.filter(({ body }) => body.to[0] === ann).map(({ body }) => body.text);
    expect(new Set(texts).size).toBe(1);
  });

  test('that is refused for what it is goes into the log, once', async () => {
    const no = () => Response.json({ name: 'validation_error', message: 'bad' }, { status: 422 });
    const asked = resendAnswers(no);
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    await untilSent(await asking(await withResend(), 'ann'), asked, 1);
    expect(asked).toHaveLength(1);
    const lines = log.mock.calls.map(([line]) => String(line));
    const told = lines.filter((line) => line.includes('"notice_failed"'));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('"code":"email_refused"');
    expect(lines.join()).not.toMatch(/re_0123456789|\/approvals\/[^:]/);
  });

  test('waits, and is asked for quietly, while the key is refused; a new one sends it', async () => {
    const wrong = () => Response.json({ name: 'validation_error', message: '' }, { status: 401 });
    const asked = resendAnswers(wrong);
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const tenant = await asking(await withResend(), 'ann');
    await vi.waitFor(async () =>
      expect((await waitingMails(tenant))[0]?.due_at).toBeGreaterThan(Date.now() + 20 * 60_000),
    );
    await tenantObject(env, tenant.id).poke();
    expect(asked).toHaveLength(1);
    vi.restoreAllMocks();
    const again = resendAnswers(fine);
    await tenant.post('/api/admin/connections/set', { ...RESEND, apiKey: 're_new_0123456789' });
    await untilSent(tenant, again, 1);
    expect(toWhom(again)).toEqual(['ann@example.com']);
  });

  test('waits at least as long as the service asks for', async () => {
    resendAnswers(() =>
      Response.json(
        { name: 'rate_limit_exceeded', message: '' },
        { status: 429, headers: { 'retry-after': '300' } },
      ),
    );
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const tenant = await asking(await withResend(), 'ann');
    await vi.waitFor(async () =>
      expect((await waitingMails(tenant))[0]?.due_at).toBeGreaterThan(Date.now() + 200_000),
    );
  });

  test('that nobody could send for a day is dropped', async () => {
    const asked = resendAnswers(() => new Response('', { status: 503 }));
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const tenant = await asking(await withResend(), 'ann');
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(0));
    passTime(25 * 3_600_000);
    await vi.waitFor(
      async () => {
        await tenantObject(env, tenant.id).poke();
        expect(await waitingMails(tenant)).toEqual([]);
      },
      { timeout: 10_000 },
    );
  });

  test('that waits outlives the object that it waits in', async () => {
    const down = () => new Response('', { status: 503 });
    const asked = resendAnswers((_to, times) => (times === 1 ? down() : fine()));
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const tenant = await asking(await withResend(), 'ann');
    await vi.waitFor(async () => expect((await waitingMails(tenant))[0]?.tries).toBe(1));
    await disturb('crash');
    passTime(120_000);
    await tenantObject(env, tenant.id).poke();
    await untilSent(tenant, asked, 2);
    expect(new Set(asked.map(({ key }) => key)).size).toBe(1);
  });
});

describe('where nobody can say whether a mail came', () => {
  const to: NoticeRecipient = { memberId: 'mem_1', name: 'Ann', email: 'ann@example.com' };
  const letter: Letter = {
    to,
    mail: { subject: 'Approval needed', text: 'Look' },
    idempotencyKey: 'apr_1_requested_3_mem_1',
    about: { what: 'notice_failed', tenantId: 't', runId: 'run_1' },
  };
  const by = (binding: StandInBinding): PortEnv => ({
    ...env,
    ...{ EMAIL: binding, EMAIL_FROM: 'Signalbox <approvals@shop.example.com>' },
  });

  test('it is sent again after a while, and not for ever: twice is better than not at all', async () => {
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const binding = openBinding();
    let next: Fate = { to, afterMs: null, blocked: false };
    let tries = 0;
    for (; next !== null && tries < 10; tries += 1) {
      binding.fail({ code: 'E_INTERNAL_SERVER_ERROR', after: true });
      next = await sendLetter(by(binding), { ...letter, to: next.to }, []);
      if (next !== null) expect(next).toMatchObject({ afterMs: 300_000, blocked: false });
    }
    expect(tries).toBe(3);
    expect(binding.mails).toHaveLength(3);
  });

  test('one that came is sent once', async () => {
    const binding = openBinding();
    expect(await sendLetter(by(binding), letter, [])).toBeNull();
    expect(binding.mails).toMatchObject([
      {
        from: { name: 'Signalbox', email: 'approvals@shop.example.com' },
        headers: { 'Auto-Submitted': 'auto-generated' },
      },
    ]);
  });
});

describe('without any mail service, in production', () => {
  test('a mail waits for one: said in the log, nothing is lost, and nothing is tried for ever', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const letter: Letter = {
      to: { memberId: 'mem_1', name: 'Ann', email: 'ann@example.com' },
      mail: { subject: 'Audit checkpoint', text: 'Keep this' },
      idempotencyKey: 't_checkpoint-8_mem_1',
      about: { what: 'checkpoint_mail_failed', tenantId: 't', count: 8 },
    };
    const production = { ...env, ENVIRONMENT: 'production', EMAIL_FROM: '' };
    expect(await sendLetter(production, letter, [])).toMatchObject({ blocked: true });
    expect(JSON.parse(String(log.mock.calls[0]?.[0]))).toEqual({
      ...{ what: 'checkpoint_mail_failed', tenantId: 't', count: 8 },
      code: 'email_not_configured',
    });
  });
});
