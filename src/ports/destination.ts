/**
 * Where tenants may send us: the guard against server-side request forgery (OWASP API7:2023).
 * Pure, and run both when a URL is saved and before every request, since templates fill URLs in.
 * It decides on what the WHATWG URL parser (https://url.spec.whatwg.org/) made of the text, the
 * same parser that `fetch` uses, so one host cannot be checked and another one asked.
 * Not covered: public names that resolve to private addresses (DNS rebinding, nip.io and the like).
 * A Worker cannot pin what a name resolves to; there the network under it has to hold, which lets
 * nothing but public addresses through: docs/destinations.md.
 */
import { isListed } from '../contract/allowed-hosts.ts';
import type { SealedConnection } from './connections.ts';

export interface DestinationRules {
  /** Development: http and https to this machine, on any port, are allowed as well. */
  readonly allowLoopbackHttp: boolean;
  /** Our own names: `host` covers itself and what is below it, `host:port` that one origin. */
  readonly ownHosts: readonly string[];
  /** The tenant's own list (allowed-hosts.ts); null: every public host, on port 443. */
  readonly allowed: readonly string[] | null;
}

/** Settings of the deployment that say where tenants may send us. */
export interface DestinationEnv {
  readonly ENVIRONMENT: string;
  /** Comma-separated */
  readonly OWN_HOSTS: string;
  /** Ours as well, without being told again. */
  readonly PUBLIC_URL?: string;
}

/** Plain http and loopback are for development alone. The tenant's list is one of its connections. */
export function destinationRules(
  { ENVIRONMENT, OWN_HOSTS, PUBLIC_URL = '' }: DestinationEnv,
  connections: readonly SealedConnection[],
): DestinationRules {
  const listed = connections.find(({ kind }) => kind === 'destinations')?.settings.allow;
  const ownHosts = [...OWN_HOSTS.split(','), URL.parse(PUBLIC_URL)?.host ?? ''];
  return {
    allowLoopbackHttp: ENVIRONMENT === 'development',
    ownHosts: ownHosts.map((host) => host.trim()).filter((host) => host !== ''),
    allowed: listed?.split(' ') ?? null,
  };
}

export type DestinationCheck = { ok: true; url: URL } | { ok: false; reason: string };

export const URL_LENGTH_MAX = 2_048;
const HOST_LENGTH_MAX = 253;

/** The parser drops or rewrites these, so they would make the URL mean something else than it says. */
const UNWRITABLE = /[\s\\\p{Cc}]/u;

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** Begins with a letter, so no spelling of an IPv4 address ends in one. */
const TOP_LEVEL = /^[a-z]/;

/** The parser has already folded decimal, octal, hex, short and fullwidth spellings into these. */
const IP_LITERAL = /^(\[.*\]|\d+(\.\d+){3})$/;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * Names that never belong to the public Internet: RFC 6761 and 6762 special use, RFC 7686, RFC 9476,
 * ICANN's `internal`, the names ICANN withholds for collisions, all of the `arpa` infrastructure, and
 * what container platforms name their own.
 */
const PRIVATE_SUFFIXES: readonly string[] = [
  'alt',
  'arpa',
  'consul',
  'corp',
  'home',
  'internal',
  'intranet',
  'invalid',
  'lan',
  'local',
  'localdomain',
  'localhost',
  'onion',
  'private',
  'svc',
  'test',
];

/**
 * Public names that are known to lead to any address whatever, or to a cloud's metadata. No such list is
 * ever complete: it spares a request where the network refuses the address anyway.
 */
const DETOURS: readonly string[] = [
  '1u.ms',
  'localtest.me',
  'lvh.me',
  'metadata.packet.net',
  'metadata.tencentyun.com',
  'nip.io',
  'sslip.io',
  'xip.io',
];

/**
 * May an outgoing request go there? Never throws.
 * @param text the URL as the person wrote it or as a template rendered it
 * @returns the URL to fetch (normalised, without a trailing dot in the host), or a sentence for the
 *   person who wrote it
 */
export function checkDestination(text: string, rules: DestinationRules): DestinationCheck {
  const url = parse(text);
  if (typeof url === 'string') return { ok: false, reason: url };
  const reason = partsFault(url, text) ?? hostFault(url, rules);
  return reason === null ? { ok: true, url } : { ok: false, reason };
}

/**
 * What a URL's health is kept under: without query and fragment. Queries often hold credentials, and
 * whoever answers at a path answers for all of its queries. Null for what is no URL.
 */
export function destinationOf(text: string): string | null {
  const url = parse(text);
  return typeof url === 'string' ? null : destinationAt(url);
}

/** The same of a URL that has been checked. */
export function destinationAt({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

function parse(text: string): URL | string {
  if (text.length > URL_LENGTH_MAX)
    return `The URL is longer than ${URL_LENGTH_MAX.toLocaleString('en')} characters.`;
  if (UNWRITABLE.test(text))
    return 'The URL has a space, a control character or a backslash in it; percent-encode it.';
  const url = URL.parse(text);
  if (url === null) return 'This is not a complete URL, such as https://example.com/hook.';
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1);
  return url;
}

function partsFault(url: URL, text: string): string | null {
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return 'The URL has to begin with https://.';
  if (url.username !== '' || url.password !== '')
    return 'The URL has a user name or a password in it; send credentials in a header.';
  if (text.includes('#')) return 'The URL has a fragment (#…), which is never sent; leave it out.';
  return null;
}

function hostFault(url: URL, rules: DestinationRules): string | null {
  if (rules.ownHosts.some((own) => isOwn(url, own)))
    return 'The URL leads back to this service, which would make a loop.';
  if (rules.allowLoopbackHttp && LOOPBACK.test(url.hostname)) return null;
  if (url.protocol !== 'https:') return 'The URL has to begin with https://.';
  if (IP_LITERAL.test(url.hostname)) return 'The URL has an IP address; use a public host name.';
  return nameFault(url.hostname) ?? listFault(url, rules.allowed);
}

/** The parser leaves out 443, which is https's own port. */
function listFault(url: URL, allowed: DestinationRules['allowed']): string | null {
  if (allowed === null)
    return url.port === ''
      ? null
      : `Port ${url.port} is not allowed; use 443, or name host and port in the destinations connection.`;
  return isListed(url, allowed)
    ? null
    : "The host and port are not on this tenant's list: see the destinations connection.";
}

function nameFault(host: string): string | null {
  const labels = host.split('.');
  if (isUnderAny(host, PRIVATE_SUFFIXES))
    return 'The host is a private or reserved name; use a public host name.';
  if (isUnderAny(host, DETOURS)) return 'The host is known to lead to private addresses.';
  if (labels.length < 2) return 'The host has no domain; use a public host name.';
  const wellFormed = host.length <= HOST_LENGTH_MAX && labels.every((label) => LABEL.test(label));
  if (!wellFormed || !TOP_LEVEL.test(labels.at(-1) ?? '')) return 'The host name is not valid.';
  return null;
}

function isOwn(url: URL, own: string): boolean {
  const name = own.toLowerCase();
  return url.host === name || isUnderAny(url.hostname, [name.replace(/\.$/, '')]);
}

function isUnderAny(host: string, suffixes: readonly string[]): boolean {
  return suffixes.some((suffix) => host === suffix || host.endsWith(`.${suffix}`));
}
