/** The overview: what waits for people, how runs end, what comes in, where webhooks are slow. */
import { useQuery } from '@tanstack/preact-query';
import type { ComponentChildren } from 'preact';
import { Link } from 'wouter-preact';
import type { RunItem } from '../../../../src/contract/runs.ts';
import { paths } from '../../address.ts';
import { lists, one } from '../../api/routes.ts';
import { live } from '../../live/live.ts';
import { overviewWords } from '../../strings/overview.ts';
import { useNow } from '../../ui/now.ts';
import { PageHead } from '../../ui/page.tsx';
import { Loading } from '../../ui/states.tsx';
import { Shape, Status, signalOf } from '../../ui/status.tsx';
import { spanText, visible } from '../../ui/text.ts';
import { Time } from '../../ui/time.tsx';
import { destinationTimes, seriesOf } from './aggregate.ts';
import { Bars } from './chart.tsx';
import { useSample } from './use-sample.ts';

const RUN_PAGES = 5;
const EVENT_PAGES = 3;
const DESTINATIONS = 6;
const FAILED = 5;

export function OverviewPage() {
  const runs = useSample('runs', lists.runs, RUN_PAGES);
  return (
    <>
      <PageHead title={overviewWords.title} />
      <div class="overview">
        <Part title={overviewWords.people}>
          <People />
        </Part>
        <Part title={overviewWords.now}>
          <UnderWay />
        </Part>
        <Part title={overviewWords.ends} isWide>
          {runs === undefined ? <Loading rows={4} /> : <Ends runs={runs} />}
        </Part>
        <Part title={overviewWords.eventsTitle} isWide>
          <Incoming />
        </Part>
        <Part title={overviewWords.failing}>
          {runs === undefined ? <Loading rows={3} /> : <Failed runs={runs} />}
        </Part>
        <Part title={overviewWords.destinations}>
          <Destinations />
        </Part>
      </div>
    </>
  );
}

function Part({
  title,
  isWide = false,
  children,
}: {
  title: string;
  isWide?: boolean;
  children: ComponentChildren;
}) {
  return (
    <section class={isWide ? 'wide' : ''} aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function People() {
  const now = useNow(10_000);
  const { data } = useQuery({
    queryKey: ['inbox', 'pending'],
    queryFn: ({ signal }) => lists.approvals({ status: 'pending', limit: 100 }, signal),
    ...live('inbox'),
  });
  if (data === undefined) return <Loading rows={1} />;
  const [first] = data.items;
  if (first === undefined)
    return (
      <p class="headline">
        <Shape status="succeeded" /> {overviewWords.nothingWaits}
      </p>
    );
  const count = `${data.items.length}${data.nextCursor === null ? '' : '+'}`;
  const oldest = Math.min(...data.items.map(({ requestedAt }) => Date.parse(requestedAt)));
  return (
    <>
      <p class="headline">
        <Shape status="pending_approval" />{' '}
        <Link href={`${paths.inbox}?view=pending`}>{overviewWords.waits(count)}</Link>
      </p>
      <p class="quiet">
        {overviewWords.oldest(spanText(Math.max(0, now - oldest)))},{' '}
        {overviewWords.firstOut(spanText(Math.max(0, Date.parse(first.expiresAt) - now)))}.
      </p>
    </>
  );
}

function UnderWay() {
  const { data } = useQuery({
    queryKey: ['settings', 'limits'],
    queryFn: one.limits,
    ...live('list'),
  });
  if (data === undefined) return <Loading rows={1} />;
  const { runsInFlight } = data.usage;
  return (
    <p class="headline">
      <Shape status={runsInFlight === 0 ? 'succeeded' : 'running'} />{' '}
      {overviewWords.inFlight(runsInFlight)}
    </p>
  );
}

function Ends({ runs }: { runs: readonly RunItem[] }) {
  const now = useNow(60_000);
  if (runs.length === 0) return <p class="quiet">{overviewWords.noRuns}</p>;
  const series = seriesOf(
    runs.map(({ createdAt, status }) => ({ at: createdAt, status })),
    Math.max(now, ...runs.map(({ createdAt }) => Date.parse(createdAt))),
  );
  const ended = runs.filter(({ finishedAt }) => finishedAt !== null);
  const share = (signal: string) =>
    ended.filter(({ status }) => signalOf(status) === signal).length / Math.max(1, ended.length);
  const { rates } = overviewWords;
  return (
    <>
      <p>
        {overviewWords.sample(runs.length, spanText(series.spanMs))}:{' '}
        <strong>{rates.good(overviewWords.percent(share('go')))}</strong>,{' '}
        {rates.bad(overviewWords.percent(share('stop')))}, {rates.open(runs.length - ended.length)}.
      </p>
      <Bars series={series} what={overviewWords.runs} />
    </>
  );
}

function Incoming() {
  const now = useNow(60_000);
  const events = useSample('events', lists.events, EVENT_PAGES);
  if (events === undefined) return <Loading rows={4} />;
  if (events.length === 0) return <p class="quiet">{overviewWords.noEvents}</p>;
  const rows = events.map(({ receivedAt }) => ({ at: receivedAt, status: 'running' }));
  const series = seriesOf(rows, Math.max(now, ...rows.map(({ at }) => Date.parse(at))));
  const rate = (series.count / Math.max(1, series.spanMs / 60_000)).toFixed(1);
  return (
    <>
      <p>
        {overviewWords.eventSample(series.count, spanText(series.spanMs))}:{' '}
        <strong>{overviewWords.perMinute(rate)}</strong>.
      </p>
      <Bars series={series} what={overviewWords.events} isPlain />
    </>
  );
}

function Failed({ runs }: { runs: readonly RunItem[] }) {
  const failed = runs.filter(({ status }) => signalOf(status) === 'stop').slice(0, FAILED);
  if (failed.length === 0) return <p class="quiet">{overviewWords.noneFailed}</p>;
  return (
    <ul class="failed">
      {failed.map(({ id, workflowName, status, error, createdAt }) => (
        <li key={id}>
          <Time at={createdAt} /> <Status status={status} />{' '}
          <Link href={paths.run(id)}>{visible(workflowName)}</Link>{' '}
          <span class="quiet">{error === null ? '' : visible(error.message)}</span>
        </li>
      ))}
    </ul>
  );
}

function Destinations() {
  const deliveries = useSample('deliveries', lists.deliveries, 1);
  if (deliveries === undefined) return <Loading rows={3} />;
  if (deliveries.length === 0) return <p class="quiet">{overviewWords.noDeliveries}</p>;
  const { columns } = overviewWords;
  return (
    <>
      <p>{overviewWords.destinationSample(deliveries.length)}.</p>
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">{columns.destination}</th>
            <th scope="col">{columns.slow}</th>
            <th scope="col" class="wide-only">
              {columns.middle}
            </th>
            <th scope="col">{columns.failed}</th>
          </tr>
        </thead>
        <tbody>
          {destinationTimes(deliveries)
            .slice(0, DESTINATIONS)
            .map(({ destination, count, failed, slowMs, middleMs }) => (
              <tr key={destination}>
                <td class="col-main">
                  <Link
                    href={`${paths.setting('destinations')}?${new URLSearchParams({ destination })}`}
                  >
                    {visible(destination)}
                  </Link>
                </td>
                <td>{spanText(slowMs)}</td>
                <td class="wide-only">{spanText(middleMs)}</td>
                <td>{overviewWords.percent(failed / count)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </>
  );
}
