/** What happened, in order: a run's entries as sentences, one step's alone when one is chosen. */
import type { Entry } from '../../../../src/contract/entries.ts';
import type { Run } from '../../../../src/contract/runs.ts';
import { entryText } from '../../strings/entries.ts';
import { runWords } from '../../strings/runs.ts';
import { Time } from '../../ui/time.tsx';

const SIGNALS: Readonly<Partial<Record<Entry['type'], string>>> = {
  attempt_failed: 'stop',
  step_failed: 'stop',
  run_failed: 'stop',
  run_denied: 'stop',
  run_expired: 'stop',
  approval_denied: 'stop',
  approval_expired: 'stop',
  budget_exceeded: 'hold',
  approval_requested: 'hold',
  approval_overridden: 'hold',
  approval_escalated: 'hold',
  run_succeeded: 'go',
  attempt_succeeded: 'go',
  approval_granted: 'go',
};

export function Timeline({
  run,
  stepId,
  onAll,
}: {
  run: Run;
  stepId: string | null;
  onAll: () => void;
}) {
  const entries = run.timeline.filter(
    (entry) => stepId === null || ('stepId' in entry && entry.stepId === stepId),
  );
  return (
    <>
      {stepId === null ? null : (
        <p>
          {runWords.step(stepId)}.{' '}
          <button type="button" class="link" onClick={onAll}>
            {runWords.whole}
          </button>
        </p>
      )}
      <ol class="timeline" aria-label={runWords.timelineLabel}>
        {entries.map((entry) => (
          <li key={entry.seq} class={SIGNALS[entry.type] ?? ''}>
            <Time at={entry.at} />
            <span class="timeline-step mono">{'stepId' in entry ? entry.stepId : ''}</span>
            <span>{entryText(entry)}</span>
          </li>
        ))}
      </ol>
    </>
  );
}
