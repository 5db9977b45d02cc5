/** Frontends on another origin: the console built for one, and a tiny one of another make. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { buildConsole } from '../../scripts/support/console.mjs';
import {
  createWorkflow,
  newSigningSecret,
  openTenant,
  postEvents,
  runIn,
  type Tenant,
} from '../e2e/support/tenant.ts';
import { launchBrowser, visit } from './support/browser.ts';
import { serveElsewhere } from './support/elsewhere.ts';
import { startedProduct } from './support/product.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/approvals-inbox', import.meta.url));
const product = startedProduct();
/** The API by its address is of one site with the first, and of another with the second. */
const SAME_SITE = `http://127.0.0.1:${product.elsewhere}`;
const OTHER_SITE = `http://localhost:${product.elsewhere}`;

let browser: Browser;
let tenant: Tenant;
let host: Server | undefined;

beforeAll(async () => {
  browser = await launchBrowser();
  tenant = await openTenant(product, newSigningSecret());
  await createWorkflow(product, tenant, {
    name: 'Switch off',
    trigger: { event: 'custom.incident' },
    steps: [{ id: 'off', action: 'flag.disable', with: { key: '{{ event.data.flag }}' } }],
  });
});
afterEach(async () => {
  await new Promise((resolve) => host?.close(resolve) ?? resolve(undefined));
  host = undefined;
});
afterAll(async () => {
  await browser?.close();
});

async function incident(flag: string): Promise<string> {
  const event = { type: 'custom.incident', data: { flag } };
  const [taken] = await postEvents(product, tenant, event);
  return taken?.runs[0] ?? '';
}

describe('the console built for another origin', () => {
  const out = mkdtempSync(join(tmpdir(), 'signalbox-console-'));
  beforeAll(async () => {
    await buildConsole(out, product.origin);
  });
  afterAll(() => {
    rmSync(out, { recursive: true, force: true });
  });

  test.each([
    ['of one site keeps its session in the cookie', SAME_SITE, true],
    ['of another site keeps the key in the memory of the page', OTHER_SITE, false],
  ])('%s', async (_what, origin, isKept) => {
    host = await serveElsewhere(out, product.elsewhere);
    const { page, complaints } = await visit(browser);
    await page.goto(`${origin}/workflows`);
    await page.getByLabel('API key').fill(tenant.keys.viewer);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Switch off' }).waitFor();
    await page.reload();
    if (isKept) await page.getByRole('link', { name: 'Switch off' }).waitFor();
    else await page.getByLabel('API key').waitFor();
    expect(complaints).toEqual([]);
  });

  test('learns nothing where its origin is not allowed', async () => {
    const { page } = await visit(browser);
    await page.route('http://not-ours.test/**', async (route) => {
      await route.fulfill({ contentType: 'text/html', body: '<title>Not ours</title>' });
    });
    await page.goto('http://not-ours.test/');
    const ask = `fetch('${product.origin}/api/session', { credentials: 'include' })
      .then((answer) => answer.text(), (error) => error.message)`;
    expect(await page.evaluate(ask)).toBe('Failed to fetch');
  });
});

describe('the approvals inbox of one file', () => {
  test('shows what waits, approves and denies, and sees what comes', async () => {
    host = await serveElsewhere(EXAMPLE, product.elsewhere);
    const { page, complaints } = await visit(browser);
    page.on('dialog', async (dialog) => await dialog.accept('Seen'));
    const first = await incident('checkout');
    await page.goto(`${OTHER_SITE}/?api=${product.origin}`);
    await page.getByLabel('API key').fill('sbx_nobody_0000');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('wrong or revoked').waitFor();
    await page.getByLabel('API key').fill(tenant.keys.approver);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /checkout/ }).waitFor();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('Nothing waits for you.').waitFor();
    expect((await runIn(product, tenant, first, 'succeeded')).approvals).toHaveLength(1);

    const second = await incident('search');
    await page.getByRole('heading', { name: /search/ }).waitFor();
    await page.getByRole('listitem').focus();
    await page.keyboard.press('d');
    await page.getByText('Nothing waits for you.').waitFor();
    await runIn(product, tenant, second, 'denied');
    expect(complaints).toEqual([]);
  });
});
