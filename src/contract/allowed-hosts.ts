/**
 * A tenant's own list of hosts that may be sent to, as the `destinations` connection keeps it: entries
 * with spaces between them. `hooks.example.com` is that host on 443, `hooks.example.com:8443` on that
 * port, `*.example.com` every host below it but not itself, `*` every public host.
 */

/** Ports below 1024 belong to other services, which have no business with a webhook. */
const PORT_MIN = 1_024;
const PORT_MAX = 65_535;
const HTTPS_PORT = 443;

const ENTRY = /^(\*|(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::([1-9]\d{0,4}))?$/;

export const ALLOWED_HOST_FORM =
  'a host such as hooks.example.com, *.example.com or *, and maybe a port: 443, or 1024 and above';

/** Whether a text is an entry of such a list. Names of other scripts are in their xn-- form. */
export function isAllowedHost(entry: string): boolean {
  const { host, port } = parts(entry);
  return host !== '' && (port === HTTPS_PORT || (port >= PORT_MIN && port <= PORT_MAX));
}

/** Whether one of the entries names the host of a URL and its port. */
export function isListed({ hostname, port }: URL, entries: readonly string[]): boolean {
  const asked = port === '' ? HTTPS_PORT : Number(port);
  return entries.map(parts).some((entry) => entry.port === asked && covers(entry.host, hostname));
}

function covers(pattern: string, host: string): boolean {
  if (pattern === '*') return true;
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern;
}

function parts(entry: string): { host: string; port: number } {
  const [, host = '', port] = ENTRY.exec(entry) ?? [];
  return { host, port: port === undefined ? HTTPS_PORT : Number(port) };
}
