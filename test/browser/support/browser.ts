/**
 * A real Chromium, which comes with a package: nothing else has to be installed. CHROMIUM names another
 * one. What a page complains of (a script that throws, what the content security policy keeps out) is
 * kept, and fails the test that asks.
 */
import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContext, chromium as driver, type Page } from 'playwright-core';

/** Not the package's own, which switch off what is tested here: origins are kept apart. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--font-render-hinting=none',
  '--disable-lcd-text',
  '--no-zygote',
];
/** Generous: it is only used up when something is broken. */
const PATIENCE_MS = 30_000;

export async function launchBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? (await chromium.executablePath());
  return await driver.launch({ executablePath, args: ARGS });
}

export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page has complained of so far. */
  readonly complaints: readonly string[];
}

export interface Look {
  readonly colorScheme?: 'light' | 'dark';
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** A browser of a person of their own. */
export async function visit(browser: Browser, look: Look = {}): Promise<Visit> {
  const { colorScheme = 'light', viewport = { width: 1280, height: 800 } } = look;
  const context = await browser.newContext({
    colorScheme,
    viewport,
    reducedMotion: 'reduce',
    locale: 'en-GB',
    timezoneId: 'UTC',
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.stack ?? error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !isRefusal(message.text())) complaints.push(message.text());
  });
  return { page, context, complaints };
}

/** The browser itself tells of every answer that is no success: many are meant. */
function isRefusal(text: string): boolean {
  return /^(Failed to load resource: the server responded with a status of|WebSocket connection to)/.test(
    text,
  );
}

/** Signs in as the form would, without the form. */
export async function signIn({ context }: Visit, origin: string, apiKey: string): Promise<void> {
  const answer = await context.request.post(`${origin}/api/session`, { data: { apiKey } });
  if (answer.status() !== 201) throw new Error(`no session: ${await answer.text()}`);
}
