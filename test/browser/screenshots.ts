/**
 * `npm run screenshots`: pictures of every page in light and dark, into docs/screenshots/, of a shop that
 * has a day behind it. Starts the product for itself, on a state of its own.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newPlace, removePlace, type Server, startServer } from '../e2e/support/server.ts';
import { openSink } from '../e2e/support/sink.ts';
import { newSigningSecret } from '../e2e/support/tenant.ts';
import { launchBrowser, signIn, visit } from './support/browser.ts';
import { PAGES } from './support/pages.ts';
import { insertRuns } from './support/run-log.ts';
import { openShop, type Shop } from './support/shop.ts';
import { squeezed } from './support/squeeze.ts';

const OUT = join(import.meta.dirname, '../../docs/screenshots');
const SCHEMES = ['light', 'dark'] as const;
const VIEWPORT = { width: 1280, height: 800 };
const HOUR_MS = 3_600_000;
/** Until what comes in after the page itself is there too. */
const SETTLE_MS = 1_200;

const place = await newPlace();
const server = await startServer(place);
const sink = await openSink(newSigningSecret());
try {
  const shop = await openShop(server, sink.url);
  insertRuns(place.stateDir, shop.tenant.id, yesterday(shop));
  mkdirSync(OUT, { recursive: true });
  await takeAll(server, shop);
} finally {
  await sink.goDown();
  await server.stop();
  removePlace(place);
}

async function takeAll({ origin }: Server, { tenant, ids }: Shop): Promise<void> {
  const browser = await launchBrowser();
  for (const colorScheme of SCHEMES) {
    const person = await visit(browser, { colorScheme, viewport: VIEWPORT });
    const take = async (name: string) => {
      await person.page.waitForTimeout(SETTLE_MS);
      const picture = await person.page.screenshot();
      writeFileSync(join(OUT, `${name}-${colorScheme}.png`), squeezed(picture));
    };
    await person.page.goto(origin);
    await take('sign-in');
    await signIn(person, origin, tenant.keys.admin);
    for (const { name, addressOf, shown } of PAGES) {
      await person.page.goto(`${origin}${addressOf(ids)}`);
      await person.page
        .locator('main')
        .getByText(shown)
        .filter({ visible: true })
        .first()
        .waitFor();
      await take(name);
    }
    await person.context.close();
  }
  await browser.close();
}

/** Runs of the day before: more by day than by night, and a few that went wrong. */
function yesterday({ ids }: Shop) {
  const now = Date.now();
  return Array.from({ length: 420 }, (_, index) => {
    const hour = index % 24;
    const isQuiet = hour < 7 && index % 3 !== 0;
    const at = now - (isQuiet ? hour + 8 : hour) * HOUR_MS - ((index * 7_919) % HOUR_MS);
    const isRefund = index % 5 === 0;
    return {
      workflowId: isRefund ? ids.workflow : ids.large,
      workflowName: isRefund ? 'Refunds over 50.00 wait for a person' : 'Large orders',
      status: index % 29 === 0 ? ('failed' as const) : ('succeeded' as const),
      at,
      tookMs: 90 + ((index * 37) % 900),
    };
  });
}
