/**
 * Every page, with something on it: nothing that axe finds wrong in either theme, nothing wider than a
 * telephone, and nothing that the page itself complains of.
 */
import axe from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { openSink, type Sink } from '../e2e/support/sink.ts';
import { newSigningSecret } from '../e2e/support/tenant.ts';
import { launchBrowser, signIn, type Visit, visit } from './support/browser.ts';
import { PAGES } from './support/pages.ts';
import { startedProduct } from './support/product.ts';
import { openShop, type Shop } from './support/shop.ts';

const PHONE = { width: 375, height: 740 };
const DESK = { width: 1280, height: 800 };

const found = z.array(
  z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string(), target: z.unknown() })) }),
);
const product = startedProduct();

let browser: Browser;
let sink: Sink;
let shop: Shop;
let person: Visit;

beforeAll(async () => {
  sink = await openSink(newSigningSecret());
  shop = await openShop(product, sink.url);
  browser = await launchBrowser();
  person = await visit(browser, { viewport: DESK });
  await person.context.addInitScript({ content: axe.source });
  await signIn(person, product.origin, shop.tenant.keys.admin);
});
afterAll(async () => {
  await browser?.close();
  await sink?.goDown();
});

/** @param only the rules to ask for; all of WCAG 2.2 and of good practice without it */
async function violations({ page }: Visit, only?: readonly string[]): Promise<string[]> {
  const options = only === undefined ? {} : { runOnly: { type: 'rule', values: only } };
  const run = `axe.run(document, ${JSON.stringify(options)}).then(({ violations }) => violations)`;
  return found
    .parse(await page.evaluate(run))
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 300)}`));
}

describe.each(PAGES)('$name', ({ addressOf, shown }) => {
  test('is as it should be in light, in dark, and on a telephone', async () => {
    const { page } = person;
    await page.setViewportSize(DESK);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.goto(`${product.origin}${addressOf(shop.ids)}`);
    await page.locator('main').getByText(shown).filter({ visible: true }).first().waitFor();
    expect(await violations(person)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await violations(person, ['color-contrast'])).toEqual([]);
    await page.setViewportSize(PHONE);
    await page.locator('main').getByText(shown).first().waitFor({ state: 'attached' });
    const width = z.number().parse(await page.evaluate('document.documentElement.scrollWidth'));
    expect(width).toBeLessThanOrEqual(PHONE.width);
    expect(await violations(person, ['target-size', 'color-contrast'])).toEqual([]);
    expect(person.complaints).toEqual([]);
  });
});
