/**
 * The console's whole story in a browser: a workflow is written with a mistake and mended, an order
 * starts it, a person decides by keyboard, and the audit trail of it verifies.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import {
  newSigningSecret,
  openTenant,
  postEvents,
  runIn,
  type Tenant,
} from '../e2e/support/tenant.ts';
import { launchBrowser, type Visit, visit } from './support/browser.ts';
import { startedProduct } from './support/product.ts';

const product = startedProduct();
const WORKFLOW = {
  name: 'Goodwill',
  trigger: { event: 'order.created', if: 'event.data.order.total.amount > 10000' },
  steps: [
    { id: 'tag', action: 'tag.order', with: { orderId: '{{ event.data.order.id }}', tag: 'vip' } },
    {
      id: 'pay',
      action: 'order.refund',
      with: {
        orderId: '{{ event.data.order.id }}',
        amount: { amount: 7_500, currency: 'USD' },
        reason: 'goodwill',
      },
    },
  ],
};
const ORDER = { order: { id: '1001', total: { amount: 25_000, currency: 'USD' } } };

let browser: Browser;
let tenant: Tenant;
let admin: Visit;
let approver: Visit;

beforeAll(async () => {
  tenant = await openTenant(product, newSigningSecret());
  browser = await launchBrowser();
  [admin, approver] = [await visit(browser), await visit(browser)];
  await admin.context.grantPermissions(['clipboard-read', 'clipboard-write']);
});
afterAll(async () => {
  await browser?.close();
});

async function enterByForm({ page }: Visit, apiKey: string): Promise<void> {
  await page.goto(product.origin);
  await page.getByLabel('API key').fill(apiKey);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}

/** Pastes over the whole definition. */
async function write(page: Page, definition: object): Promise<void> {
  // The editor, and not the plain field that is there until it has come.
  await page.locator('.definition-side .cm-content').click();
  await page.keyboard.press('Control+a');
  const text = JSON.stringify(JSON.stringify(definition, null, 2));
  await page.evaluate(`navigator.clipboard.writeText(${text})`);
  await page.keyboard.press('Control+v');
}

test('a key lets in; nothing of it is left where a script could read it', async () => {
  await admin.page.goto(product.origin);
  await admin.page.getByLabel('API key').fill(`${tenant.keys.admin}x`);
  await admin.page.keyboard.press('Enter');
  await admin.page.getByRole('alert').getByText('This key does not work.').waitFor();
  await enterByForm(admin, tenant.keys.admin);
  const readable =
    'document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)';
  expect(await admin.page.evaluate(readable)).toBe('{}{}');
  const [cookie] = await admin.context.cookies();
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
});

test('a mistake is named where it is, and mended, and the workflow is switched on', async () => {
  const { page } = admin;
  await page.keyboard.press('g');
  await page.keyboard.press('w');
  await page.getByRole('link', { name: 'New workflow' }).first().click();
  const condition = 'event.data.order.total.amount >> 10000';
  await write(page, { ...WORKFLOW, trigger: { ...WORKFLOW.trigger, if: condition } });
  await page.getByText('1 fault', { exact: true }).waitFor();
  const faults = page.getByRole('list', { name: 'Faults, each with its place' });
  expect(await faults.textContent()).toContain('trigger.if');
  // The underlined place is in the line of the condition, and nowhere else.
  const marked = page.locator('.definition-side .cm-line:has(.cm-lintRange-error)');
  await marked.first().waitFor();
  expect(await marked.allTextContents()).toEqual([expect.stringContaining(condition)]);

  await page.getByRole('button', { name: 'Create', exact: true }).click();
  expect(await page.getByRole('button', { name: 'Create', exact: true }).isVisible()).toBe(true);
  await write(page, WORKFLOW);
  await page.getByText('No faults').waitFor();
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.getByText('Version 1', { exact: true }).waitFor();
  await page.getByRole('switch', { name: 'Switch Goodwill on' }).click();
  await page.getByText('On: it starts runs').waitFor();
});

test('an order comes in, and its run appears by itself', async () => {
  const { page } = admin;
  const opened = page.waitForEvent('websocket');
  await page.goto(`${product.origin}/runs`);
  await page.getByText('No runs yet').waitFor();
  const told = (await opened).waitForEvent('framereceived', {
    predicate: ({ payload }) => String(payload).includes('"kind":"run"'),
  });
  await postEvents(product, tenant, { type: 'order.created', data: ORDER });
  await told;
  const row = page.getByRole('row', { name: /Goodwill/ });
  await row.getByText('Needs a person').waitFor();
  await row.getByRole('link', { name: 'Goodwill' }).click();
  await page.getByRole('heading', { name: 'Goodwill' }).waitFor();
  await page.getByRole('table', { name: 'When each step was at work' }).waitFor();
});

test('a person approves the refund by keyboard, and sees before what will be done', async () => {
  const { page } = approver;
  await enterByForm(approver, tenant.keys.approver);
  await page.keyboard.press('g');
  await page.keyboard.press('i');
  await page.getByRole('heading', { name: /Refund 75\.00 USD of order 1001/ }).waitFor();
  await page.keyboard.press('a');
  const dialog = page.getByRole('dialog', { name: 'Approve' });
  await dialog.waitFor();
  await page.keyboard.type('They waited three weeks');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing waits for you').waitFor();
});

test('whoever watches the run sees it end without asking', async () => {
  const { page } = admin;
  await page.locator('h1 ~ *, header').getByText('Succeeded').first().waitFor();
  const timeline = page.getByRole('list', { name: 'What happened, in order' });
  await timeline.getByText(/They waited three weeks/).waitFor();
});

test('the audit trail has the decision, and the chain verifies in the browser', async () => {
  const { page } = admin;
  await page.goto(`${product.origin}/audit?action=approval.approved`);
  await page
    .getByRole('row', { name: /approval\.approved/ })
    .getByRole('link')
    .first()
    .click();
  await page.getByText('It fits').first().waitFor();
  await page.goto(`${product.origin}/audit`);
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Begin' }).click();
  await page.getByText(/The chain is whole: \d+ entries/).waitFor();
});

test('the runs of an order are found by its id', async () => {
  const { page } = admin;
  await page.goto(`${product.origin}/runs`);
  await page.getByRole('searchbox').fill('1001');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/runs?q=1001');
  await page.getByRole('link', { name: 'Goodwill' }).waitFor();
  await page.getByRole('searchbox').fill('no-such-order');
  await page.keyboard.press('Enter');
  await page.getByText('No run is like that').waitFor();
});

test('a run that was denied is done again, as a new run', async () => {
  const { page } = admin;
  const order = { order: { ...ORDER.order, id: '1002' } };
  const [event] = await postEvents(product, tenant, { type: 'order.created', data: order });
  const runId = event?.runs[0] ?? '';
  await runIn(product, tenant, runId, 'pending_approval');
  const no = { runId, comment: 'Not this time' };
  await product.as(tenant.keys.approver).post('/api/admin/workflow-runs/deny', no, z.unknown());
  await page.goto(`${product.origin}/runs/${runId}`);
  await page.getByRole('button', { name: 'Do it again' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Do it again' }).click();
  await page.getByText('Does again').waitFor();
  await page.locator('.page-head').getByText('Needs a person').waitFor();
});

test('a change while an older answer is on its way is asked for again, and seen', async () => {
  const { page } = approver;
  const refund = page.getByRole('link', { name: /Refund 75\.00 USD of order 1002/ });
  await refund.waitFor();
  const approvals = '**/api/admin/approvals?*';
  const held = Promise.withResolvers<void>();
  const taken = Promise.withResolvers<void>();
  await page.route(
    approvals,
    async (route) => {
      const response = await route.fetch();
      taken.resolve();
      await held.promise;
      await route.fulfill({ response }).catch(() => {});
    },
    { times: 1 },
  );
  await page.evaluate("dispatchEvent(new Event('online'))");
  await taken.promise;
  const again = page.waitForRequest(approvals, { timeout: 20_000 });
  const asApprover = product.as(tenant.keys.approver);
  const inbox = z.object({ items: z.array(z.object({ runId: z.string() })) });
  const { items } = await asApprover.get('/api/admin/approvals?mine=true', inbox);
  const no = { runId: items[0]?.runId, comment: 'Not this time either' };
  await asApprover.post('/api/admin/workflow-runs/deny', no, z.unknown());
  await again;
  held.resolve();
  await refund.waitFor({ state: 'detached' });
});

test('a key that is revoked shuts the pages that it opened, without anybody asking', async () => {
  const keys = z.object({ items: z.array(z.object({ id: z.string(), name: z.string() })) });
  const asAdmin = product.as(tenant.keys.admin);
  const { items } = await asAdmin.get('/api/admin/api-keys', keys);
  const id = items.find(({ name }) => name === 'approver')?.id;
  await asAdmin.post('/api/admin/api-keys/revoke', { id }, z.unknown());
  await approver.page.getByText('Your session has ended.').waitFor();
});

test('back leads where one came from, and signing out ends it', async () => {
  const { page } = admin;
  await page.keyboard.press('Escape');
  await page.goto(`${product.origin}/runs?status=succeeded`);
  await page.getByRole('link', { name: 'Goodwill' }).click();
  await page.getByRole('table', { name: 'When each step was at work' }).waitFor();
  await page.goBack();
  await page.waitForURL('**/runs?status=succeeded');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('API key').waitFor();
  expect(await admin.context.cookies()).toEqual([]);
  expect([...admin.complaints, ...approver.complaints]).toEqual([]);
});
