/**
 * What the form on the page behind an approval link sends, and whether it came from that page.
 * https://url.spec.whatwg.org/#application/x-www-form-urlencoded
 */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import type { Vote } from '../engine/approval.ts';
import { readBytes } from './body.ts';
import { isOwnPage } from './own-origin.ts';
import type { Served } from './route.ts';

export const FORM_TYPE = 'application/x-www-form-urlencoded';

const decisionForm = later(() =>
  z.object({
    decision: z.enum(['approved', 'happened', 'retry', 'denied']),
    email: z.string().trim().toLowerCase().max(254),
    comment: z
      .string()
      .transform((text) => text.replaceAll('\r\n', '\n').trim())
      .refine((text) => text.length <= 2_000 && !text.includes('\0'))
      .default(''),
  }),
);
export type DecisionForm = z.infer<typeof decisionForm>;

/** What a button stands for. */
export function votedBy(button: DecisionForm['decision']): Pick<Vote, 'decision' | 'resolution'> {
  if (button === 'happened' || button === 'retry')
    return { decision: 'approved', resolution: button };
  return { decision: button, resolution: undefined };
}

/**
 * The form's fields; `form` is null when they are not those of the page. Another site's page must not
 * post here, though nothing hangs on it alone: there is no cookie, and whoever has the token has the page.
 */
export async function readDecisionForm({
  request,
  env,
}: Served): Promise<{ form: DecisionForm | null } | Refusal> {
  if (!isOwnPage(request, env.PUBLIC_URL ?? ''))
    return refusal('forbidden', 'Use the form on the page that the link opens.');
  const [type = ''] = (request.headers.get('content-type') ?? '').split(';');
  if (type.trim().toLowerCase() !== FORM_TYPE)
    return refusal('unsupported_media_type', `Send content-type: ${FORM_TYPE}.`);
  const bytes = await readBytes(request);
  if ('ok' in bytes) return bytes;
  const fields = Object.fromEntries(new URLSearchParams(new TextDecoder().decode(bytes)));
  return { form: decisionForm.safeParse(fields).data ?? null };
}
