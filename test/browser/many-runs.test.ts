/** A tenant with 100,000 runs: the list is as quick as a short one, and holds what is on the screen. */
import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import * as z from 'zod';
import { newSigningSecret, openTenant } from '../e2e/support/tenant.ts';
import { until } from '../e2e/support/wait.ts';
import { launchBrowser, signIn, type Visit, visit } from './support/browser.ts';
import { startedProduct } from './support/product.ts';
import { insertRuns } from './support/run-log.ts';

const RUNS = 100_000;
const FIRST = Date.parse('2026-01-01T00:00:00Z');
const EVERY_MS = 60_000;
/** On a machine that does other things besides. */
const USUAL_MS = 300;
const LONGEST_MS = 5_000;
const ROWS_SCROLLED = 3_000;

const product = startedProduct();
let browser: Browser;
let person: Visit;
let devtools: CDPSession;

beforeAll(async () => {
  const tenant = await openTenant(product, newSigningSecret());
  const runs = Array.from({ length: RUNS }, (_, index) => ({
    workflowId: `wf_${index % 20}`,
    workflowName: `Workflow ${index % 20}`,
    status: index % 50 === 0 ? ('failed' as const) : ('succeeded' as const),
    at: FIRST + index * EVERY_MS,
    tookMs: 200 + (index % 700),
  }));
  insertRuns(inject('started').stateDir, tenant.id, runs);
  browser = await launchBrowser();
  person = await visit(browser);
  devtools = await person.context.newCDPSession(person.page);
  await signIn(person, product.origin, tenant.keys.viewer);
});
afterAll(async () => {
  await browser?.close();
});

/** What is in use once what is not has been collected. */
async function heapBytes(): Promise<number> {
  await devtools.send('HeapProfiler.collectGarbage');
  return (await devtools.send('Runtime.getHeapUsage')).usedSize;
}

/** The number of the last row that is known of: the length of the scroll bar tells it. */
async function knownRows(page: Page): Promise<number> {
  const height = z.number().parse(await page.evaluate('document.documentElement.scrollHeight'));
  return Math.floor(height / 38);
}

test('scrolling far down loads page after page, quickly, and keeps few rows and little memory', async () => {
  const { page } = person;
  const times: number[] = [];
  page.on('requestfinished', (request) => {
    if (request.url().includes('/workflow-runs?')) times.push(request.timing().responseEnd);
  });
  await page.goto(`${product.origin}/runs`);
  await page
    .getByRole('row', { name: /Workflow 19/ })
    .first()
    .waitFor();
  const before = await heapBytes();
  await until('many rows to be known', async () => {
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
    return (await knownRows(page)) > ROWS_SCROLLED;
  });
  expect(await page.getByRole('row').count()).toBeLessThan(100);
  await until('what was scrolled past to be let go', async () => {
    return (await heapBytes()) < before + 6 * 1024 * 1024;
  });
  expect(times.length).toBeGreaterThan(ROWS_SCROLLED / 100);
  const sorted = times.toSorted((a, b) => a - b);
  expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(USUAL_MS);
  expect(sorted.at(-1)).toBeLessThan(LONGEST_MS);
});

test('back at a run that was opened far down, the list is where it was', async () => {
  const { page } = person;
  const text = "document.querySelectorAll('tr[data-at] a')[12].textContent + scrollY";
  const there = await page.evaluate(text);
  await page.locator('tr[data-at] a').nth(12).click();
  await page.waitForURL('**/runs/run_*');
  await page.goBack();
  await until('the same place', async () => (await page.evaluate(text)) === there);
});

test('a time, a status or a workflow leads to the rows of the middle at once', async () => {
  const { page } = person;
  const middle = new Date(FIRST + (RUNS / 2) * EVERY_MS).toISOString();
  await page.goto(`${product.origin}/runs?to=${middle}&status=failed&workflowId=wf_0`);
  const row = page.getByRole('row', { name: /Workflow 0/ }).first();
  await row.waitFor();
  expect(await row.textContent()).toContain('Failed');
  expect(person.complaints).toEqual([]);
});
