/**
 * The console's files (wrangler.toml, [assets]). Where Cloudflare or `wrangler dev` runs the Worker they
 * are answered before it, for every address that is not the Worker's. Under `npm run serve` nothing
 * stands before it, and it asks for them itself.
 */
import type { Env } from '../env.ts';
import { isWorkers } from './worker-first.ts';

/** Cloudflare's own addresses, which no page of ours has: a local runtime's tools are asked for there. */
const PLATFORMS = '/cdn-cgi/';

/** The file at an address, or the console's page for an address within it; null for what is not its. */
export async function consoleFile(request: Request, env: Env): Promise<Response | null> {
  const { method, url } = request;
  const isReading = method === 'GET' || method === 'HEAD';
  const { pathname } = new URL(url);
  if (env.CONSOLE === undefined || !isReading) return null;
  if (isWorkers(pathname) || pathname.startsWith(PLATFORMS)) return null;
  const file = await env.CONSOLE.fetch(request);
  // A copy, whose headers can be set.
  return new Response(file.body, file);
}
