/** One step of a run: what went in, what came out, its attempts, and who was asked. */
import { Link } from 'wouter-preact';
import type { Entry } from '../../../../src/contract/entries.ts';
import type { Run, StepView } from '../../../../src/contract/runs.ts';
import { paths } from '../../address.ts';
import { entryText } from '../../strings/entries.ts';
import { inboxWords } from '../../strings/inbox.ts';
import { runWords } from '../../strings/runs.ts';
import { Copyable } from '../../ui/copy.tsx';
import { Json } from '../../ui/json.tsx';
import { Facts } from '../../ui/page.tsx';
import { Status } from '../../ui/status.tsx';
import { spanBetween, visible } from '../../ui/text.ts';
import { Time } from '../../ui/time.tsx';
import { TookSoFar } from './took.tsx';

export function StepDetail({ run, step, onAll }: { run: Run; step: StepView; onAll: () => void }) {
  const approvals = run.approvals.filter(({ stepId }) => stepId === step.id);
  return (
    <section class="step-detail">
      <h2>
        {runWords.step(step.id)} <Status status={step.status} />
      </h2>
      <p>
        <button type="button" class="link" onClick={onAll}>
          {runWords.whole}
        </button>
      </p>
      {step.error === null ? null : (
        <div class="why">
          <Copyable text={`${step.error.code}: ${step.error.message}`} what={runWords.error}>
            <span>
              <strong class="mono">{step.error.code}</strong> {visible(step.error.message)}
            </span>
          </Copyable>
        </div>
      )}
      <StepFacts step={step} />
      {approvals.map((approval) => (
        <p key={approval.id} class="asked">
          <Status status={approval.status === 'pending' ? 'pending_approval' : approval.status} />{' '}
          {inboxWords.quorum(
            approval.decisions.filter(({ decision }) => decision === 'approved').length,
            approval.required,
          )}
          {approval.status === 'pending' ? (
            <>
              {' '}
              <Link href={`${paths.approval(approval.id)}?view=pending`}>
                {runWords.decideHere}
              </Link>
            </>
          ) : null}
        </p>
      ))}
      {step.action === null ? null : (
        <>
          <h3>{runWords.input}</h3>
          {step.input === null ? (
            <p class="quiet">{runWords.noInput}</p>
          ) : (
            <Json value={step.input} what={runWords.theInput} />
          )}
          <h3>{runWords.output}</h3>
          {step.output === null ? (
            <p class="quiet">{runWords.noOutput}</p>
          ) : (
            <Json value={step.output} what={runWords.theOutput} />
          )}
        </>
      )}
      <Attempts
        entries={run.timeline.filter((entry) => 'stepId' in entry && entry.stepId === step.id)}
      />
    </section>
  );
}

function StepFacts({ step }: { step: StepView }) {
  const { stepFacts } = runWords;
  return (
    <Facts
      facts={[
        [stepFacts.action, step.action ?? runWords.waits],
        ...(step.action === null ? [] : [[stepFacts.attempts, String(step.attempts)] as const]),
        ...(step.nextAttemptAt === null
          ? []
          : [
              [
                step.action === null ? stepFacts.nextOf : stepFacts.next,
                <Time key="n" at={step.nextAttemptAt} />,
              ] as const,
            ]),
        ...(step.startedAt === null
          ? []
          : [
              [stepFacts.began, <Time key="b" at={step.startedAt} />] as const,
              [
                stepFacts.took,
                step.finishedAt === null ? (
                  <TookSoFar key="t" since={step.startedAt} />
                ) : (
                  spanBetween(step.startedAt, step.finishedAt)
                ),
              ] as const,
            ]),
        ...(step.progress === null
          ? []
          : [[stepFacts.progress, JSON.stringify(step.progress)] as const]),
      ]}
    />
  );
}

/** How each attempt ended, with what a webhook sent and was answered. */
function Attempts({ entries }: { entries: readonly Entry[] }) {
  const ends = entries.filter(
    (entry) => entry.type === 'attempt_succeeded' || entry.type === 'attempt_failed',
  );
  if (ends.length === 0) return null;
  return (
    <>
      <h3>{runWords.attemptList}</h3>
      <ol class="attempts">
        {ends.map((entry) => (
          <li key={entry.seq}>
            <Status status={entry.type === 'attempt_failed' ? 'failed' : 'succeeded'} />{' '}
            <span class="quiet">
              <Time at={entry.at} />
            </span>
            <p>{entryText(entry)}</p>
            {entry.delivery === undefined ? null : (
              <Link href={paths.delivery(entry.delivery.id)}>
                {runWords.delivery} ({entry.delivery.responseStatus ?? '–'},{' '}
                {entry.delivery.durationMs} ms)
              </Link>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}
