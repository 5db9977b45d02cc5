/**
 * Every way a request can be refused: a stable code, its HTTP status and title. Refusals travel as
 * values with one of these codes; the router turns them into RFC 9457 problem+json, here alone.
 */
import * as z from 'zod';
import { later } from './later.ts';

export const PROBLEMS = {
  validation_failed: [400, 'The request is not valid'],
  malformed_json: [400, 'The body is not JSON'],
  tenant_needed: [400, 'Name a tenant'],
  invalid_cursor: [400, 'The cursor is not one of ours'],
  unauthenticated: [401, 'No valid credential'],
  invalid_signature: [401, 'The signature does not verify'],
  forbidden: [403, 'The role does not allow this'],
  self_approval: [403, 'Another person has to decide'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'Method not allowed'],
  conflict: [409, 'Conflict with the current state'],
  version_conflict: [409, 'Someone else changed it first'],
  approval_decided: [409, 'The approval is already decided'],
  approval_expired: [409, 'The approval has expired'],
  approval_mismatch: [409, 'The inputs are not the ones that were shown'],
  approval_ambiguous: [409, 'More than one approval is pending'],
  run_finished: [409, 'The run has already ended'],
  idempotency_mismatch: [409, 'The Idempotency-Key was used for another request'],
  idempotency_in_progress: [409, 'The first request with this Idempotency-Key has not ended'],
  link_expired: [410, 'The link has expired'],
  payload_too_large: [413, 'Too large'],
  unsupported_media_type: [415, 'Unsupported content type'],
  range_not_satisfiable: [416, 'The range begins after the end'],
  limit_reached: [422, 'A limit of the tenant is reached'],
  upgrade_required: [426, 'This is a WebSocket'],
  rate_limited: [429, 'Too many requests'],
  internal: [500, 'Something went wrong on our side'],
  unavailable: [503, 'Not available right now'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One thing that is wrong, and where: `path` is dotted, with list positions (`steps.0.with.tag`). */
export const fault = later(() =>
  z.object({ path: z.string(), message: z.string() }).meta({ id: 'Fault' }),
);
export type Fault = z.infer<typeof fault>;

export const problem = later(() =>
  z
    .object({
      type: z.string(),
      title: z.string(),
      status: z.int(),
      detail: z.string(),
      code: z.string().describe(`A stable word: ${Object.keys(PROBLEMS).join(', ')}`),
      requestId: z.string(),
      errors: z.array(fault),
    })
    .meta({ id: 'Problem' }),
);

/** A refusal as a value. Objects answer `{ ok: false, … }` over RPC instead of throwing. */
export interface Refusal {
  ok: false;
  code: ProblemCode;
  detail?: string;
  errors?: Fault[];
  /** When another try may pass, for `Retry-After`. */
  retryAfterMs?: number;
}

export function refusal(code: ProblemCode, detail?: string, errors?: Fault[]): Refusal {
  return {
    ok: false,
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined ? {} : { errors }),
  };
}

/** zod's issues as faults: unknown keys are named one by one, where they stand. */
export function faultsOf(error: z.ZodError, prefix = ''): Fault[] {
  return error.issues.flatMap((issue) => issueFaults(issue, prefix));
}

function issueFaults(issue: z.core.$ZodIssue, prefix: string): Fault[] {
  const at = [prefix, ...issue.path.map(String)].filter((part) => part !== '').join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      path: at === '' ? key : `${at}.${key}`,
      message: 'unknown field',
    }));
  const meant = issue.code === 'invalid_union' ? meantOption(issue.errors) : undefined;
  if (meant !== undefined) return meant.flatMap((inner) => issueFaults(inner, at));
  return [{ path: at, message: issue.message }];
}

/** The option of a union that knows more of the given fields than any other; none when two tie. */
function meantOption(options: readonly z.core.$ZodIssue[][]): z.core.$ZodIssue[] | undefined {
  const [best, next] = options
    .map((issues) => ({ issues, unknown: unknownFields(issues) }))
    .sort((a, b) => a.unknown - b.unknown);
  return best !== undefined && next !== undefined && best.unknown < next.unknown
    ? best.issues
    : undefined;
}

function unknownFields(issues: readonly z.core.$ZodIssue[]): number {
  return issues
    .map((issue) =>
      issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys.length : 0,
    )
    .reduce((sum, count) => sum + count, 0);
}
