/** What may be asked of a run: the bodies of decisions, of a cancel and of a retry. */
import * as z from 'zod';
import { resolution } from './entries.ts';
import { jsonObject } from './json.ts';
import { later } from './later.ts';

const comment = later(() => z.string().trim().min(1).max(2_000));
const decisionBody = () => ({
  runId: z.string().min(1).max(100),
  approvalId: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe('May be left out while just one approval is pending'),
  inputHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/, '64 hex digits')
    .optional()
    .describe('The hash of the inputs that were shown; another one now: 409 approval_mismatch'),
});
const voteBody = () => ({
  ...decisionBody(),
  onBehalfOf: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe('A member who lets the caller decide in their place: the vote counts as theirs'),
});
export const approveBody = later(() =>
  z
    .strictObject({
      ...voteBody(),
      comment: comment.optional(),
      resolution: resolution.optional().describe('Needed for an approval of kind `resolve`'),
    })
    .meta({ id: 'Approve' }),
);
export const denyBody = later(() =>
  z.strictObject({ ...voteBody(), comment }).meta({ id: 'Deny' }),
);
export const editBody = later(() =>
  z
    .strictObject({ ...decisionBody(), input: jsonObject, comment: comment.optional() })
    .meta({ id: 'EditInputs' }),
);
export const overrideBody = later(() =>
  z.strictObject({ ...decisionBody(), comment }).meta({ id: 'Override' }),
);
export const viewBody = later(() =>
  z
    .strictObject({ runId: decisionBody().runId, approvalId: decisionBody().approvalId })
    .meta({ id: 'NoteView' }),
);
export const cancelBody = later(() =>
  z
    .strictObject({ runId: z.string().min(1).max(100), comment: comment.optional() })
    .meta({ id: 'Cancel' }),
);
export const retryBody = later(() =>
  z
    .strictObject({
      runId: z.string().min(1).max(100),
      latest: z
        .boolean()
        .default(false)
        .describe('By the current version of the workflow, not by the one that the run was of'),
      comment: comment.optional(),
    })
    .meta({ id: 'RetryRun' }),
);
