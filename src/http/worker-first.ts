/** Which addresses are the Worker's: all others are the console's, and its page answers them. */

/** As `run_worker_first` in wrangler.toml. */
export const WORKER_FIRST = ['/api/*', '/ofrep/*', '/approvals/*', '/exports/*', '/.well-known/*'];

export function isWorkers(pathname: string): boolean {
  return WORKER_FIRST.some((pattern) => `${pathname}/`.startsWith(pattern.slice(0, -1)));
}
