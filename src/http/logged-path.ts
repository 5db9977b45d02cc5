/**
 * A request's path as the log has it. Some paths are credentials (`/approvals/<token>`,
 * `/exports/<token>`), and any other may be one that was mistyped or put where it does not belong: a
 * part that is not a plain word of a route, or a tenant's id, stays out.
 */

/** Tokens and keys have upper case, underscores, percent signs or length; none of our words does. */
const PLAIN = /^[a-z0-9.-]{0,48}$/;

export function loggedPath(url: string): string {
  const { pathname } = new URL(url);
  const told = pathname.startsWith('/api/')
    ? pathname
    : pathname.replace(/(approvals|exports)\/.*/is, '$1/:token');
  return told
    .split('/')
    .map((part) => (PLAIN.test(part) || part === ':token' ? part : ':other'))
    .join('/');
}
