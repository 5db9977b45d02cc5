/** One run: its line, when each step was at work, what happened, and one step in full. */
import { useQuery } from '@tanstack/preact-query';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Link, useParams } from 'wouter-preact';
import type { Run } from '../../../../src/contract/runs.ts';
import { paths, useFilter, withQuery } from '../../address.ts';
import { one } from '../../api/routes.ts';
import { useIsAdmin } from '../../caller.ts';
import { stationsOf } from '../../graph/layout.ts';
import { Track } from '../../graph/track.tsx';
import { liveUntil } from '../../live/live.ts';
import { runWords } from '../../strings/runs.ts';
import { Copyable } from '../../ui/copy.tsx';
import { Facts, PageHead } from '../../ui/page.tsx';
import { ErrorPanel, Loading } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { shortId, spanBetween, visible } from '../../ui/text.ts';
import { Time } from '../../ui/time.tsx';
import { CancelDialog } from './cancel.tsx';
import { isRetriable, RetryDialog } from './retry.tsx';
import { StepDetail } from './step.tsx';
import { Timeline } from './timeline.tsx';
import { TookSoFar } from './took.tsx';
import { Waterfall } from './waterfall.tsx';

export function RunPage() {
  const { id = '' } = useParams<{ id: string }>();
  const {
    data: run,
    error,
    refetch,
  } = useQuery({
    queryKey: ['run', id],
    queryFn: () => one.run(id),
    ...liveUntil('run', (known: Run | undefined) => known?.finishedAt != null),
  });
  if (run === undefined)
    return error === null ? <Loading /> : <ErrorPanel error={error} retry={() => void refetch()} />;
  return <RunView run={run} />;
}

function RunView({ run }: { run: Run }) {
  const { filter, set } = useFilter(['step']);
  const [isCancelling, setIsCancelling] = useState(false);
  const [isRetrying, setIsRetrying] = useState(false);
  const isAdmin = useIsAdmin();
  const chosen = run.steps.find(({ id }) => id === filter.step);
  return (
    <>
      <PageHead
        title={visible(run.workflowName)}
        above={<Link href={paths.runs}>{runWords.above}</Link>}
      >
        <Status status={run.status} />
        {isAdmin && run.finishedAt === null ? (
          <button type="button" class="button" onClick={() => setIsCancelling(true)}>
            {runWords.cancel}
          </button>
        ) : null}
        {isAdmin && isRetriable(run) ? (
          <button type="button" class="button" onClick={() => setIsRetrying(true)}>
            {runWords.retry}
          </button>
        ) : null}
      </PageHead>
      {run.error === null ? null : (
        <div class="why" role="note" aria-label={runWords.error}>
          <Copyable text={`${run.error.code}: ${run.error.message}`} what={runWords.error}>
            <span>
              <strong class="mono">{run.error.code}</strong> {visible(run.error.message)}
            </span>
          </Copyable>
        </div>
      )}
      <RunTrack
        run={run}
        chosen={chosen?.id ?? null}
        onChoose={(step) => set({ step: step ?? '' })}
      />
      <div class="run-columns">
        <div>
          <Waterfall run={run} chosen={chosen?.id ?? null} onChoose={(step) => set({ step })} />
          <h2>{runWords.timeline}</h2>
          <Timeline run={run} stepId={chosen?.id ?? null} onAll={() => set({ step: '' })} />
        </div>
        <aside>
          {chosen === undefined ? (
            <>
              <RunFacts run={run} />
              <p class="quiet">{runWords.chooseStep}</p>
            </>
          ) : (
            <StepDetail key={chosen.id} run={run} step={chosen} onAll={() => set({ step: '' })} />
          )}
        </aside>
      </div>
      {isRetrying ? <RetryDialog runId={run.id} onClose={() => setIsRetrying(false)} /> : null}
      {isCancelling ? <CancelDialog runId={run.id} onClose={() => setIsCancelling(false)} /> : null}
    </>
  );
}

/** The version that the run is pinned to says how its steps hang together. */
function RunTrack({
  run,
  chosen,
  onChoose,
}: {
  run: Run;
  chosen: string | null;
  onChoose: (id: string | null) => void;
}) {
  const { data: workflow } = useQuery({
    queryKey: ['workflow', run.workflowId, run.workflowVersion],
    queryFn: () => one.workflow(run.workflowId, run.workflowVersion),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const stations = stationsOf(workflow?.steps ?? run.steps.map(({ id }) => ({ id })));
  const look = (id: string) => {
    const step = run.steps.find((one) => one.id === id);
    const took =
      step?.startedAt == null || step.finishedAt === null
        ? ''
        : ` · ${spanBetween(step.startedAt, step.finishedAt)}`;
    return {
      title: id,
      detail: `${step?.action ?? runWords.waits}${took}`,
      status: step?.status ?? 'pending',
      faults: 0,
    };
  };
  return (
    <Track
      label={runWords.picture}
      stations={stations}
      trigger={{ title: run.eventType, detail: '', status: null, faults: 0 }}
      look={look}
      chosen={chosen}
      onChoose={onChoose}
    />
  );
}

function RunFacts({ run }: { run: Run }) {
  const { facts } = runWords;
  return (
    <Facts
      facts={[
        [facts.id, <Copyable key="i" text={run.id} what={facts.id} />],
        [
          facts.workflow,
          <Link key="w" href={paths.workflowVersion(run.workflowId, run.workflowVersion)}>
            {visible(run.workflowName)}, {runWords.version(run.workflowVersion)}
          </Link>,
        ],
        [
          facts.event,
          <Copyable key="e" text={run.eventId} what={facts.event}>
            <Link href={paths.event(run.eventId)}>
              {run.eventType} <span class="mono">{shortId(run.eventId)}</span>
            </Link>
          </Copyable>,
        ],
        [
          facts.began,
          <Copyable key="b" text={run.createdAt} what={facts.began}>
            <Time at={run.createdAt} />
          </Copyable>,
        ],
        [
          facts.took,
          run.finishedAt === null ? (
            <TookSoFar key="t" since={run.createdAt} />
          ) : (
            spanBetween(run.createdAt, run.finishedAt)
          ),
        ],
        [
          facts.correlation,
          <Copyable key="c" text={run.correlationId} what={facts.correlation}>
            <Link
              href={withQuery(paths.runs, { correlationId: run.correlationId })}
              title={runWords.sameCorrelation}
              class="mono"
            >
              {visible(run.correlationId)}
            </Link>
          </Copyable>,
        ],
        [facts.request, <Copyable key="r" text={run.requestId} what={facts.request} />],
        ...otherRun(facts.retryOf, run.retryOf),
        ...otherRun(facts.retriedBy, run.retriedBy),
        [
          facts.audit,
          <Link key="a" href={withQuery(paths.audit, { target: run.id })}>
            {runWords.auditOf}
          </Link>,
        ],
      ]}
    />
  );
}

/** The run that this one does again, or the one that does it again. */
function otherRun(
  name: string,
  id: string | null,
): readonly (readonly [string, ComponentChildren])[] {
  if (id === null) return [];
  const link = (
    <Link key={name} href={paths.run(id)} class="mono">
      {shortId(id)}
    </Link>
  );
  return [[name, link]];
}
