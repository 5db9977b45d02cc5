/** When each step of a run was at work, waiting, or before a person: told from its timeline. Pure. */
import type { Entry } from '../../../../src/contract/entries.ts';
import type { Run } from '../../../../src/contract/runs.ts';

export type SpanKind = 'work' | 'failed' | 'wait' | 'person';

export interface Span {
  readonly kind: SpanKind;
  readonly from: number;
  /** Null while it goes on. */
  readonly to: number | null;
}

export interface Fall {
  readonly from: number;
  readonly to: number;
  readonly byStep: ReadonlyMap<string, readonly Span[]>;
}

const BEGINS: Readonly<Partial<Record<Entry['type'], SpanKind>>> = {
  attempt_started: 'work',
  attempt_failed: 'wait',
  step_progressed: 'wait',
  delay_started: 'wait',
  approval_requested: 'person',
};
/** After these nothing of the step goes on until another entry begins something. */
const ENDS: ReadonlySet<Entry['type']> = new Set<Entry['type']>([
  'attempt_succeeded',
  'delay_ended',
  'approval_granted',
  'approval_denied',
  'approval_expired',
  'approval_cancelled',
  'step_failed',
  'step_resolved',
]);

export function fallOf({ timeline, createdAt, finishedAt }: Run, now: number): Fall {
  const end = finishedAt === null ? now : Date.parse(finishedAt);
  const from = Date.parse(createdAt);
  const open = new Map<string, { kind: SpanKind; from: number }>();
  const byStep = new Map<string, Span[]>();
  const close = (stepId: string, at: number, failed: boolean) => {
    const span = open.get(stepId);
    if (span === undefined) return;
    open.delete(stepId);
    const kind = failed && span.kind === 'work' ? 'failed' : span.kind;
    byStep.set(stepId, [...(byStep.get(stepId) ?? []), { ...span, kind, to: at }]);
  };
  for (const entry of timeline) {
    if (!('stepId' in entry)) continue;
    const at = Date.parse(entry.at);
    const kind = BEGINS[entry.type];
    if (kind === undefined && !ENDS.has(entry.type)) continue;
    close(entry.stepId, at, entry.type === 'attempt_failed');
    if (kind !== undefined) open.set(entry.stepId, { kind, from: at });
  }
  for (const [stepId, span] of open) {
    const to = finishedAt === null ? null : end;
    byStep.set(stepId, [...(byStep.get(stepId) ?? []), { ...span, to }]);
  }
  const last = Math.max(end, ...[...byStep.values()].flat().map(({ to }) => to ?? end));
  return { from, to: Math.max(last, from + 1), byStep };
}
