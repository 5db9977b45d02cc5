/** What a change of a tenant's state answers, and how it reads in the audit chain. */
import type { AuditFact } from '../contract/audit.ts';
import type { Actor } from '../contract/json.ts';
import type { Refusal } from '../contract/problems.ts';

/** Who asks, and by which request: on every audit entry. */
export interface By {
  readonly actor: Actor;
  readonly requestId: string;
}

/** `fact` is null when nothing changed: saying a thing twice is told once. */
export interface Changed<Answer> {
  readonly ok: true;
  readonly answer: Answer;
  readonly fact: Pick<AuditFact, 'action' | 'target' | 'data'> | null;
}

export type Change<Answer> = Changed<Answer> | Refusal;

export function changed<Answer>(
  answer: Answer,
  action: AuditFact['action'],
  target: AuditFact['target'],
  data: AuditFact['data'],
): Changed<Answer> {
  return { ok: true, answer, fact: { action, target, data } };
}

export function unchanged<Answer>(answer: Answer): Changed<Answer> {
  return { ok: true, answer, fact: null };
}
