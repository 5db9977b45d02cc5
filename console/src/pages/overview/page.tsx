/** The overview: what waits for people, how runs end, what comes in, where webhooks are slow. */
import { useQuery } from '@tanstack/preact-query';
import type { ComponentChildren } from 'preact';
import { Link } from 'wouter-preact';
import type { Stats } from '../../../../src/contract/stats.ts';
import { paths } from '../../address.ts';
import { lists, one } from '../../api/routes.ts';
import { live } from '../../live/live.ts';
import { overviewWords } from '../../strings/overview.ts';
import { useNow } from '../../ui/now.ts';
import { PageHead } from '../../ui/page.tsx';
import { Loading } from '../../ui/states.tsx';
import { Shape, Status } from '../../ui/status.tsx';
import { spanText, visible } from '../../ui/text.ts';
import { Time } from '../../ui/time.tsx';
import { eventSeries, runSeries, totalOf } from './aggregate.ts';
import { Bars } from './chart.tsx';

const HOURS = 24;
const DESTINATIONS = 6;
const FAILED = 5;

export function OverviewPage() {
  const { data: stats } = useQuery({
    queryKey: ['stats', HOURS],
    queryFn: ({ signal }) => one.stats(HOURS, signal),
    ...live('slow'),
  });
  return (
    <>
      <PageHead title={overviewWords.title} />
      <div class="overview">
        <Part title={overviewWords.people}>
          {stats === undefined ? <Loading rows={1} /> : <People {...stats.approvals} />}
        </Part>
        <Part title={overviewWords.now}>
          <UnderWay />
        </Part>
        <Part title={overviewWords.ends} isWide>
          {stats === undefined ? <Loading rows={4} /> : <Ends {...stats} />}
        </Part>
        <Part title={overviewWords.eventsTitle} isWide>
          {stats === undefined ? <Loading rows={4} /> : <Incoming {...stats} />}
        </Part>
        <Part title={overviewWords.failing}>
          <Failed />
        </Part>
        <Part title={overviewWords.destinations}>
          {stats === undefined ? <Loading rows={3} /> : <Destinations {...stats.destinations} />}
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

function People({ pending, isMore, oldestRequestedAt, nextExpiresAt }: Stats['approvals']) {
  const now = useNow(10_000);
  if (pending === 0 || oldestRequestedAt === null || nextExpiresAt === null)
    return (
      <p class="headline">
        <Shape status="succeeded" /> {overviewWords.nothingWaits}
      </p>
    );
  return (
    <>
      <p class="headline">
        <Shape status="pending_approval" />{' '}
        <Link href={`${paths.inbox}?view=pending`}>
          {overviewWords.waits(`${pending}${isMore ? '+' : ''}`)}
        </Link>
      </p>
      <p class="quiet">
        {overviewWords.oldest(spanText(Math.max(0, now - Date.parse(oldestRequestedAt))))},{' '}
        {overviewWords.firstOut(spanText(Math.max(0, Date.parse(nextExpiresAt) - now)))}.
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

function Ends({ hours }: Pick<Stats, 'hours'>) {
  const series = runSeries(hours);
  if (series.count === 0) return <p class="quiet">{overviewWords.noRuns}</p>;
  const open = totalOf(series, 'move');
  const share = (signal: 'go' | 'stop') =>
    overviewWords.percent(totalOf(series, signal) / Math.max(1, series.count - open));
  const { rates } = overviewWords;
  return (
    <>
      <p>
        {overviewWords.counted(series.count, series.isEstimated, overviewWords.runs)}:{' '}
        <strong>{rates.good(share('go'))}</strong>, {rates.bad(share('stop'))}, {rates.open(open)}.
      </p>
      <Bars series={series} what={overviewWords.runs} />
    </>
  );
}

function Incoming({ hours }: Pick<Stats, 'hours'>) {
  const series = eventSeries(hours);
  if (series.count === 0) return <p class="quiet">{overviewWords.noEvents}</p>;
  const rate = (series.count / hours.length).toFixed(1);
  return (
    <>
      <p>
        {overviewWords.counted(series.count, series.isEstimated, overviewWords.events)}:{' '}
        <strong>{overviewWords.perHour(rate)}</strong>.
      </p>
      <Bars series={series} what={overviewWords.events} isPlain />
    </>
  );
}

function Failed() {
  const { data } = useQuery({
    queryKey: ['runs', 'failed'],
    queryFn: ({ signal }) => lists.runs({ status: 'failed', limit: FAILED }, signal),
    ...live('list'),
  });
  if (data === undefined) return <Loading rows={3} />;
  if (data.items.length === 0) return <p class="quiet">{overviewWords.noneFailed}</p>;
  return (
    <ul class="failed">
      {data.items.map(({ id, workflowName, status, error, createdAt }) => (
        <li key={id}>
          <Time at={createdAt} /> <Status status={status} />{' '}
          <Link href={paths.run(id)}>{visible(workflowName)}</Link>{' '}
          <span class="quiet">{error === null ? '' : visible(error.message)}</span>
        </li>
      ))}
    </ul>
  );
}

function Destinations({ attempts, slowest }: Stats['destinations']) {
  if (attempts === 0) return <p class="quiet">{overviewWords.noDeliveries}</p>;
  const { columns } = overviewWords;
  return (
    <>
      <p>{overviewWords.destinationSample(attempts)}.</p>
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">{columns.destination}</th>
            <th scope="col">{columns.average}</th>
            <th scope="col" class="wide-only">
              {columns.slowest}
            </th>
            <th scope="col">{columns.failed}</th>
          </tr>
        </thead>
        <tbody>
          {slowest
            .slice(0, DESTINATIONS)
            .map(({ destination, errorRate, averageMs, slowestMs }) => (
              <tr key={destination}>
                <td class="col-main">
                  <Link
                    href={`${paths.setting('destinations')}?${new URLSearchParams({ destination })}`}
                  >
                    {visible(destination)}
                  </Link>
                </td>
                <td>{spanText(averageMs)}</td>
                <td class="wide-only">{spanText(slowestMs)}</td>
                <td>{overviewWords.percent(errorRate)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </>
  );
}
