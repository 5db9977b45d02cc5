/** All that a tenant can read about itself, to be held against what it was. */
import { EXAMPLE_IDS } from '../../../src/http/docs-examples.ts';
import { ROUTES } from '../../../src/routes/index.ts';
import type { Tenant } from './api.ts';

/** To read it is a change as well: the audit tells who took a file out. */
const LEAVES_A_TRACE: readonly string[] = ['/api/admin/audit/export', '/api/admin/exports/get'];

/** Differs by itself from one moment to the next. */
const PASSING = /"(requestId|lastUsedAt|runsInFlight)":("[^"]*"|null|\d+)|"to":"\d{4}-[^"]*Z"/g;

/**
 * The answer to every GET, by path.
 * @param idAt the id of one's own to ask for where a path takes one; without it such paths are left out
 */
export async function stateOf(
  tenant: Tenant,
  idAt: (path: string) => string | undefined = () => undefined,
): Promise<Record<string, string>> {
  const state: Record<string, string> = {};
  for (const { method, path, access } of ROUTES) {
    const id = idAt(path);
    if (method !== 'GET' || access.tier !== 'admin' || LEAVES_A_TRACE.includes(path)) continue;
    if (path in EXAMPLE_IDS && id === undefined) continue;
    const query = id === undefined ? '' : `?id=${encodeURIComponent(id)}`;
    const { status, text } = await tenant.get(`${path}${query}`, 'admin');
    state[path] = `${status} ${text.replaceAll(PASSING, '')}`;
  }
  return state;
}
