/** Every way past a guard of outgoing URLs that we know of, and those that others have published. */
import { describe, expect, it } from 'vitest';
import { checkDestination, type DestinationRules } from '../../src/ports/destination.ts';
import {
  NO_HOSTS,
  PRIVATE_ADDRESSES,
  PRIVATE_ADDRESSES_6,
  refusedUrls,
  spellingsOf,
} from '../fixtures/hostile/addresses.ts';
import { publishedBypasses } from './support/published.ts';

const STRICT: DestinationRules = { allowLoopbackHttp: false, ownHosts: [], allowed: null };
/** A tenant may open ports and hosts; nothing of it opens this. */
const WIDE_OPEN: DestinationRules = { ...STRICT, allowed: ['*', '*:8443', '*:8080', '*:11211'] };

/** Where those lead that are let through. */
function passing(urls: readonly string[], rules: DestinationRules): string[] {
  return urls.flatMap((url) => {
    const check = checkDestination(url, rules);
    return check.ok ? [`${url} → ${check.url.href}`] : [];
  });
}

describe.each([
  ['by default', STRICT],
  ["with a tenant's list that lets everything in", WIDE_OPEN],
])('%s', (_what, rules) => {
  it('no spelling of a private address passes, nor any disguise of one', () => {
    const urls = refusedUrls();
    expect(urls.length).toBeGreaterThan(900);
    expect(passing(urls, rules)).toEqual([]);
  });

  it('none of the published bypasses passes', () => {
    const urls = publishedBypasses();
    expect(urls.length).toBeGreaterThan(450);
    expect(passing(urls, rules)).toEqual([]);
  });
});

it('in development only this machine is open besides, and only by its plain names', () => {
  const development = { ...STRICT, allowLoopbackHttp: true };
  const hosts = [
    ...PRIVATE_ADDRESSES.flatMap(spellingsOf),
    ...PRIVATE_ADDRESSES_6.map((a) => `[${a}]`),
  ];
  const urls = hosts.flatMap((host) => [`http://${host}/`, `https://${host}/`]);
  for (const passed of passing([...urls, ...NO_HOSTS], development))
    expect(passed).toMatch(/→ https?:\/\/(127\.\d+\.\d+\.\d+|\[::1\])\/$/);
});

it('what passes is asked under the very host that was looked at', () => {
  const urls = ['https:example.com/a', 'https:/example.com/a', 'https://EXAMPLE.com./a'];
  expect(passing(urls, STRICT)).toEqual(urls.map((url) => `${url} → https://example.com/a`));
});
