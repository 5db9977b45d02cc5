/** One event: what it said, what it started, and why each workflow did or did not start. */
import { useQuery } from '@tanstack/preact-query';
import { Link, useParams } from 'wouter-preact';
import type { EventRecord } from '../../../../src/contract/events.ts';
import { paths, withQuery } from '../../address.ts';
import { one } from '../../api/routes.ts';
import { useWorkflowNames } from '../../live/catalog.ts';
import { liveUntil } from '../../live/live.ts';
import { eventWords } from '../../strings/events.ts';
import { Copyable } from '../../ui/copy.tsx';
import { Json } from '../../ui/json.tsx';
import { Facts, PageHead } from '../../ui/page.tsx';
import { ErrorPanel, Loading } from '../../ui/states.tsx';
import { Shape, Status } from '../../ui/status.tsx';
import { shortId, visible } from '../../ui/text.ts';
import { Time } from '../../ui/time.tsx';

export function EventPage() {
  const { id = '' } = useParams<{ id: string }>();
  const { data, error, refetch } = useQuery({
    queryKey: ['event', id],
    queryFn: () => one.event(id),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (error !== null) return <ErrorPanel error={error} retry={() => void refetch()} />;
  return data === undefined ? <Loading /> : <EventView event={data} />;
}

function EventView({ event }: { event: EventRecord }) {
  const { facts } = eventWords;
  return (
    <>
      <PageHead title={event.type} above={<Link href={paths.events}>{eventWords.title}</Link>} />
      <div class="run-columns">
        <div>
          <h2>{eventWords.started}</h2>
          <Started ids={event.runs} />
          <h2>{eventWords.reasons}</h2>
          <Reasons matches={event.matches} />
          <h2>{eventWords.data}</h2>
          <Json value={event.data} what={eventWords.theData} />
          {Object.keys(event.extensions).length === 0 ? null : (
            <>
              <h2>{eventWords.extensions}</h2>
              <Json value={event.extensions} what={eventWords.extensions} />
            </>
          )}
        </div>
        <aside>
          <Facts
            facts={[
              [facts.id, <Copyable key="i" text={event.id} what={facts.id} />],
              [facts.senders, <Copyable key="s" text={event.eventId} what={facts.senders} />],
              [facts.source, visible(event.source)],
              ...(event.subject === null ? [] : [[facts.subject, visible(event.subject)] as const]),
              [
                facts.time,
                <Copyable key="t" text={event.time} what={facts.time}>
                  <Time at={event.time} />
                </Copyable>,
              ],
              [facts.received, <Time key="r" at={event.receivedAt} />],
              [
                facts.correlation,
                <Copyable key="c" text={event.correlationId} what={facts.correlation}>
                  <Link
                    href={withQuery(paths.events, { correlationId: event.correlationId })}
                    title={eventWords.same}
                    class="mono"
                  >
                    {visible(event.correlationId)}
                  </Link>
                </Copyable>,
              ],
              [facts.request, <Copyable key="q" text={event.requestId} what={facts.request} />],
            ]}
          />
        </aside>
      </div>
    </>
  );
}

function Started({ ids }: { ids: readonly string[] }) {
  if (ids.length === 0) return <p class="quiet">{eventWords.startedNone}</p>;
  return (
    <ul class="started">
      {ids.map((id) => (
        <StartedRun key={id} id={id} />
      ))}
    </ul>
  );
}

function StartedRun({ id }: { id: string }) {
  const { data } = useQuery({
    queryKey: ['run', id],
    queryFn: () => one.run(id),
    ...liveUntil(
      'run',
      (run: { finishedAt: string | null } | undefined) => run?.finishedAt != null,
    ),
  });
  return (
    <li>
      <Link href={paths.run(id)}>
        {data === undefined ? shortId(id) : visible(data.workflowName)}
      </Link>{' '}
      {data === undefined ? null : <Status status={data.status} />}
    </li>
  );
}

function Reasons({ matches }: { matches: EventRecord['matches'] }) {
  const names = useWorkflowNames();
  if (matches.length === 0) return <p class="quiet">{eventWords.noneListen}</p>;
  return (
    <table class="plain-table" aria-label={eventWords.reasons}>
      <thead>
        <tr>
          <th scope="col">{eventWords.outcome}</th>
          <th scope="col">{eventWords.workflow}</th>
          <th scope="col">{eventWords.reason}</th>
        </tr>
      </thead>
      <tbody>
        {matches.map(({ workflowId, version, matched, reason }) => (
          <tr key={workflowId}>
            <td class="nowrap">
              <Shape status={matched ? 'succeeded' : 'skipped'} />{' '}
              {matched ? eventWords.didStart : eventWords.didNot}
            </td>
            <td>
              <Link href={paths.workflowVersion(workflowId, version)}>
                {visible(names.get(workflowId) ?? shortId(workflowId))}
              </Link>
            </td>
            <td>{visible(reason)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
