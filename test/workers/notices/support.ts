/** People with mailboxes, a workflow whose one step waits for them, and the page behind their links. */
import { env } from 'cloudflare:workers';
import { expect } from 'vitest';
import type { Json, JsonObject, Role } from '../../../src/contract/json.ts';
import { makeApprovalToken } from '../../../src/objects/approval-link.ts';
import { at, fieldsOf, listAt, textAt } from '../support/answers.ts';
import {
  eventually,
  fetchApi,
  newTenant,
  runWithStatus,
  send,
  type Tenant,
} from '../support/api.ts';
import { createWorkflow, flagWorkflow, startRun } from '../support/samples.ts';

export interface Person {
  readonly id: string;
  readonly email: string;
  /** A key that is this person. */
  readonly key: string;
}

export interface Waiting {
  readonly tenant: Tenant;
  readonly people: Readonly<Record<string, Person>>;
  readonly runId: string;
}

/** Adds a member, and a key by which they call. */
export async function addPerson(tenant: Tenant, name: string, role: Role): Promise<Person> {
  const email = `${name}@example.com`;
  const made = await tenant.post('/api/admin/members/create', { name, email, role });
  const id = textAt(made, 'member.id');
  const key = await tenant.post('/api/admin/api-keys/create', { name, role, memberId: id });
  return { id, email, key: textAt(key, 'apiKey.secret') };
}

/** A run that waits for an approval under a rule, in a tenant with these people. */
export async function waiting(
  roles: Readonly<Record<string, Role>>,
  rule: JsonObject = {},
  flag = 'sale',
): Promise<Waiting> {
  const tenant = await newTenant();
  const people: Record<string, Person> = {};
  for (const [name, role] of Object.entries(roles))
    people[name] = await addPerson(tenant, name, role);
  const set = await setRule(tenant, rule);
  expect(set).toBe(200);
  const steps = [{ id: 'on', action: 'flag.enable', with: { key: flag } }];
  await createWorkflow(tenant, flagWorkflow({ steps }));
  const runId = await startRun(tenant);
  await runWithStatus(tenant, runId, 'pending_approval');
  return { tenant, people, runId };
}

/** Has one member decide in another's place, as an admin says it. */
export async function standIn(
  { tenant, people }: Pick<Waiting, 'tenant' | 'people'>,
  who: string,
  forWhom: string,
  more: JsonObject = {},
): Promise<void> {
  const [to, memberId] = [person(people, who).id, person(people, forWhom).id];
  const until = new Date(Date.now() + 86_400_000).toISOString();
  const body = { to, memberId, until, ...more };
  const done = await tenant.post('/api/admin/members/delegate', body);
  expect(done.status, done.text).toBe(200);
}

export async function setRule(tenant: Tenant, rule: JsonObject): Promise<number> {
  const actions = { 'flag.enable': rule };
  return (await tenant.post('/api/admin/approval-policy/update', { actions })).status;
}

export interface ReadMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Every mail so far, newest first. */
export async function mails(tenant: Tenant): Promise<ReadMail[]> {
  const list = await tenant.get('/api/admin/mailbox?limit=200', 'admin');
  return listAt(list).map((item) => {
    const mail = { body: { item }, text: list.text };
    return {
      to: textAt(mail, 'item.to.0'),
      subject: textAt(mail, 'item.subject'),
      text: textAt(mail, 'item.text'),
      html: textAt(mail, 'item.html'),
    };
  });
}

/** Waits for so many mails with a subject that begins so. */
export async function mailsWith(tenant: Tenant, start: string, count: number): Promise<ReadMail[]> {
  await eventually(
    () => tenant.get('/api/admin/mailbox?limit=200', 'admin'),
    (list) => expect(fieldsOf(list, 'subject').filter(startsWith(start))).toHaveLength(count),
  );
  return (await mails(tenant)).filter(({ subject }) => subject.startsWith(start));
}

function startsWith(start: string) {
  return (subject: Json) => typeof subject === 'string' && subject.startsWith(start);
}

/** The path behind the link in a mail. */
export function linkIn({ text }: ReadMail): string {
  const [, path] = /https:\/\/api\.test(\/approvals\/\S+)/.exec(text) ?? [];
  if (path === undefined) throw new Error(`no link in ${text}`);
  return path;
}

/** The newest link that a person was sent. */
export async function linkOf({ tenant, people }: Waiting, name: string): Promise<string> {
  const email = person(people, name).email;
  const list = await eventually(
    () => tenant.get('/api/admin/mailbox?limit=200', 'admin'),
    (answer) => expect(fieldsOf(answer, 'to')).toContainEqual([email]),
  );
  expect(list.status).toBe(200);
  const mail = (await mails(tenant)).find(({ to }) => to === email);
  if (mail === undefined) throw new Error(`no mail to ${email}`);
  return linkIn(mail);
}

export function person(people: Waiting['people'], name: string): Person {
  const one = people[name];
  if (one === undefined) throw new Error(`there is no ${name}`);
  return one;
}

/** A link of our own making: right, but for what `more` changes. */
export async function forgedLink(
  { tenant, people, runId }: Waiting,
  name: string,
  more: { expiresAt?: string; inputHash?: string; onBehalfOf?: string } = {},
): Promise<string> {
  const run = await readRun(tenant, runId);
  const token = await makeApprovalToken(env.KEY_SECRET, {
    tenantId: tenant.id,
    runId,
    approvalId: textAt(run, 'run.approvals.0.id'),
    memberId: person(people, name).id,
    inputHash: textAt(run, 'run.approvals.0.inputHash'),
    expiresAt: textAt(run, 'run.approvals.0.expiresAt'),
    ...more,
  });
  return `/approvals/${token}`;
}

export function readRun(tenant: Tenant, runId: string) {
  return tenant.get(`/api/admin/workflow-runs/get?id=${runId}`);
}

export async function statusOf({ tenant, runId }: Waiting): Promise<Json | undefined> {
  return at(await readRun(tenant, runId), 'run.status');
}

export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
}

const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

export async function look(path: string, method = 'GET'): Promise<Page> {
  return await pageOf(await fetchApi(method, path, { headers: BROWSER }));
}

/** Sends the page's form, as a browser does. */
export async function submit(
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Page> {
  const raw = new URLSearchParams(fields).toString();
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  return await pageOf(
    await fetchApi('POST', path, { raw, headers: { ...BROWSER, ...type, ...headers } }),
  );
}

async function pageOf(response: Response): Promise<Page> {
  return { status: response.status, headers: response.headers, html: await response.text() };
}

/** Has a person change what waits. */
export async function edit({ tenant, runId }: Waiting, who: Person, key: string): Promise<void> {
  const body = { runId, input: { key } };
  const edited = await send('POST', '/api/admin/workflow-runs/edit', { token: who.key, body });
  expect(edited.status, edited.text).toBe(200);
  expect(at(await readRun(tenant, runId), 'run.approvals.0.edits')).toBe(1);
}

/** The audit entries about the run: how many, and what the newest one is. */
export async function auditOf({ tenant, runId }: Waiting): Promise<Json[]> {
  return fieldsOf(await tenant.get(`/api/admin/audit?target=${runId}&limit=200`), 'action');
}
