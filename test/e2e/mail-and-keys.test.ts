/**
 * Mail by Resend from the started server, and a change of the key under which its API key is sealed:
 * the way that docs/connections.md describes, with the command.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  openResend,
  RESEND_KEY,
  type ResendMail,
  type StandInResend,
} from '../fixtures/vendors/resend.ts';
import { send } from './support/client.ts';
import {
  BY_SERVE,
  newPlace,
  type Place,
  removePlace,
  type Server,
  startServer,
} from './support/server.ts';
import {
  connect,
  createWorkflow,
  newSigningSecret,
  openTenant,
  postEvents,
  runIn,
  type Tenant,
} from './support/tenant.ts';
import { until } from './support/wait.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const NODE = join(ROOT, 'node_modules', '.bin', 'node');
const APPROVER = 'ann@example.com';
const CUSTOMER = 'ada@example.com';
const FORMER = 'seal-key-of-before-0123456789abcdef012345';
const NEXT = 'seal-key-of-now-0123456789abcdef0123456789';

let place: Place;
let resend: StandInResend;
let server: Server;
let tenant: Tenant;

/** The secrets file is how a server is given other settings. */
function settings(more: Readonly<Record<string, string>>): void {
  const lines = Object.entries(more).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(place.stateDir, 'secrets.env'), lines.join(''), { mode: 0o600 });
}

function settingsNow(): Record<string, string> {
  const text = readFileSync(join(place.stateDir, 'secrets.env'), 'utf8');
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const [, name, value] = /^(\w+)=(.+)$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );
}

async function restartWith(change: (now: Record<string, string>) => Record<string, string>) {
  await server.stop();
  settings(change(settingsNow()));
  server = await startServer(place, ['--no-demo'], BY_SERVE);
}

beforeAll(async () => {
  place = await newPlace();
  resend = await openResend();
  settings({ RESEND_ORIGIN: resend.origin, SEAL_KEY: FORMER });
  server = await startServer(place, ['--no-demo'], BY_SERVE);
  tenant = await openTenant(server, newSigningSecret());
  await connect(server, tenant, {
    ...{ kind: 'email', service: 'resend', apiKey: RESEND_KEY },
    ...{ from: 'Orders <orders@shop.example.com>', unsubscribe: 'https://shop.example.com/out' },
  });
  const ann = { name: 'Ann', email: APPROVER, role: 'approver' };
  await server.as(tenant.keys.admin).post('/api/admin/members/create', ann, z.unknown());
  await createWorkflow(server, tenant, {
    name: 'Ask, then tell',
    trigger: { event: 'custom.asked' },
    steps: [
      { id: 'on', action: 'flag.enable', with: { key: 'sale' } },
      {
        ...{ id: 'tell', action: 'notify.email' },
        with: { to: CUSTOMER, subject: 'Done', html: '<p>{{ event.data.note }}</p>' },
      },
    ],
  });
});
afterAll(async () => {
  await server?.stop();
  await resend?.close();
  removePlace(place);
});

/** The mail to somebody that came after so many others. */
async function mailTo(address: string, before: number): Promise<ResendMail> {
  return await until(`mail to ${address}`, () =>
    resend.mails.slice(before).find(({ to }) => to.includes(address)),
  );
}

/** A run that asks, is answered by the link in the mail, and tells. */
async function askAndTell(): Promise<{ asked: ResendMail; toldOf: ResendMail }> {
  const before = resend.mails.length;
  const event = { type: 'custom.asked', data: { note: '<b>Fine</b> & well' } };
  const [taken] = await postEvents(server, tenant, event);
  const asked = await mailTo(APPROVER, before);
  const [link = ''] = /http\S+\/approvals\/\S+/.exec(asked.text ?? '') ?? [];
  expect(link.startsWith(`${server.origin}/approvals/`)).toBe(true);
  const form = new URLSearchParams({ decision: 'approved', email: APPROVER, comment: '' });
  const decided = await send(link, {
    method: 'POST',
    body: form,
    headers: { accept: 'text/html' },
  });
  expect(decided.status, decided.text).toBe(200);
  await runIn(server, tenant, taken?.runs[0] ?? '', 'succeeded');
  return { asked, toldOf: await mailTo(CUSTOMER, before) };
}

describe('mail by Resend', () => {
  it('asks for approval with a link that decides, and then tells; only the second can be left', async () => {
    const { asked, toldOf } = await askAndTell();
    expect(asked.from).toBe('Orders <orders@shop.example.com>');
    expect(asked.headers).toMatchObject({ 'Auto-Submitted': 'auto-generated' });
    expect(Object.keys(asked.headers ?? {}).join()).not.toContain('List-');
    expect(toldOf).toMatchObject({
      html: '<p>&lt;b&gt;Fine&lt;/b&gt; &amp; well</p>',
      text: '<b>Fine</b> & well',
      headers: {
        'List-Unsubscribe': '<https://shop.example.com/out>',
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      },
    });
    const log = server.log().join('\n');
    expect(log).not.toContain(RESEND_KEY);
    expect(log).not.toMatch(/approvals\/[^:]/);
  });

  it('is found in order by the test of the connection', async () => {
    const schema = z.object({ ok: z.boolean(), checks: z.array(z.object({ detail: z.string() })) });
    const path = '/api/admin/connections/test';
    const found = await server.as(tenant.keys.admin).post(path, { kind: 'email' }, schema);
    expect(found.ok, JSON.stringify(found.checks)).toBe(true);
    expect(JSON.stringify(found)).not.toContain(RESEND_KEY);
  });
});

/** Runs the command as an operator does; the token comes from the state directory. */
async function rotate() {
  const { PATH = '', HOME = '' } = process.env;
  const script = join(ROOT, 'scripts', 'signalbox.mjs');
  const env = { PATH, HOME, STATE_DIR: place.stateDir };
  const child = spawn(NODE, ['--no-warnings', script, 'keys', 'rotate', '--url', server.origin], {
    env,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  expect(said).not.toContain(settingsNow().PLATFORM_TOKEN);
  return { code, said };
}

describe('a new sealing key', () => {
  it('does its work beside the former one, until everything is sealed anew', async () => {
    await restartWith((now) => ({ ...now, SEAL_KEY: NEXT, SEAL_KEYS_RETIRED: FORMER }));
    await askAndTell();
    const { code, said } = await rotate();
    expect(said).toMatch(/^Sealed anew: 2 texts\. Tenants: 1\./);
    expect(said).toContain('SEAL_KEYS_RETIRED may be removed');
    expect(code).toBe(0);
    expect((await rotate()).said).toMatch(/^Sealed anew: 0 texts\. Tenants: 1\./);
  });

  it('then does it alone', async () => {
    await restartWith(({ SEAL_KEYS_RETIRED: _gone, ...rest }) => rest);
    await askAndTell();
  });
});
