/**
 * One JSON line for each request, transition and failure, for `wrangler tail --format json | jq`.
 * The fields are a closed list: bodies, headers, credentials and personal data have no field here.
 */
import { redacted } from './redacted.ts';

export interface LogLine {
  /** What happened: `request`, an entry's type, or `<what>_failed`. */
  readonly what: string;
  readonly requestId?: string | undefined;
  readonly tenantId?: string | undefined;
  readonly runId?: string | undefined;
  readonly workflowId?: string | undefined;
  readonly eventId?: string | undefined;
  readonly stepId?: string | undefined;
  readonly exportId?: string | undefined;
  readonly attempt?: number | undefined;
  readonly method?: string | undefined;
  readonly path?: string | undefined;
  readonly status?: number | string | undefined;
  readonly code?: string | undefined;
  readonly ms?: number | undefined;
  readonly count?: number | undefined;
  /** An error's own words, of our code or the platform's; never a vendor's or a caller's text. */
  readonly error?: string | undefined;
}

export function log(line: LogLine): void {
  console.log(JSON.stringify(line));
}

/** Several lines at once: one text of them all, since each call has its price. */
export function logAll(lines: readonly LogLine[]): void {
  if (lines.length > 0) console.log(lines.map((line) => JSON.stringify(line)).join('\n'));
}

export function logError(line: LogLine, error: unknown): void {
  console.error(JSON.stringify({ ...line, error: errorText(error).slice(0, 500) }));
}

/**
 * A failed query's own message repeats what was bound to it; its cause is the database's words. What
 * could not be parsed is quoted by the engine.
 */
function errorText(error: unknown): string {
  if (!(error instanceof Error)) return 'not an Error';
  if (error.message.startsWith('Failed query')) return `query: ${errorText(error.cause)}`;
  const { name, message } = error;
  const unquoted = name === 'SyntaxError' ? message.replaceAll(/"[^"]*"|'[^']*'/g, '"…"') : message;
  return `${name}: ${redacted(unquoted)}`;
}
