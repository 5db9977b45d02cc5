/**
 * Pages that run no script and fetch nothing: a content security policy allows the page's one style
 * sheet by its hash, and nothing else. https://www.w3.org/TR/CSP3/
 */

import { utf8ToBytes } from '@noble/hashes/utils.js';
import { sha256 } from '#sha256';

/** @param forms where forms of the page may be sent */
export function inertPolicy(style: string, forms: "'none'" | "'self'"): string {
  const hash = btoa(String.fromCharCode(...sha256(utf8ToBytes(style))));
  return [
    "default-src 'none'",
    `style-src 'sha256-${hash}'`,
    "base-uri 'none'",
    `form-action ${forms}`,
    "frame-ancestors 'none'",
  ].join('; ');
}
