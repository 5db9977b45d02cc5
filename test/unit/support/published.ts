/**
 * What others have published, from npm: ways past a guard of outgoing URLs (ssrfcheck, MIT).
 */
import { createRequire } from 'node:module';
import * as z from 'zod';

const require = createRequire(import.meta.url);

/** As they stand, with https in place of http, and as the host of an https URL. */
export function publishedBypasses(): string[] {
  const list = z.array(z.string()).parse(require('ssrfcheck/tests/data/should-not-pass.js'));
  return [
    ...new Set(list.flatMap((url) => [url, url.replace(/^http:/, 'https:'), `https://${url}`])),
  ];
}
