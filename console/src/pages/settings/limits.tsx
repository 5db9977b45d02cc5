/** What this tenant may use, and what of it is in use. */
import { useQuery } from '@tanstack/preact-query';
import { one } from '../../api/routes.ts';
import { live } from '../../live/live.ts';
import { limitsWords } from '../../strings/settings.ts';
import { ErrorPanel, Loading } from '../../ui/states.tsx';
import { countText } from '../../ui/text.ts';

export function LimitsPart() {
  const { data, error, refetch } = useQuery({
    queryKey: ['settings', 'limits'],
    queryFn: one.limits,
    ...live('list'),
  });
  if (error !== null && data === undefined)
    return <ErrorPanel error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Loading />;
  const { limits, usage } = data;
  return (
    <>
      <p class="part-how">{limitsWords.how}</p>
      <dl class="limits">
        <Meter
          label={limitsWords.runsInFlight}
          used={usage.runsInFlight}
          limit={limits.runsInFlight}
          text={countText}
        />
        <Meter
          label={limitsWords.storageBytes}
          used={usage.storageBytes}
          limit={limits.storageBytes}
          text={bytesText}
        />
        <div>
          <dt>{limitsWords.eventsPerSecond}</dt>
          <dd>{countText(limits.eventsPerSecond)}</dd>
        </div>
        <div>
          <dt>{limitsWords.eventsBurst}</dt>
          <dd>{countText(limits.eventsBurst)}</dd>
        </div>
      </dl>
    </>
  );
}

function Meter({
  label,
  used,
  limit,
  text,
}: {
  label: string;
  used: number;
  limit: number;
  text: (value: number) => string;
}) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        {limitsWords.of(text(used), text(limit))}
        <meter aria-label={label} min={0} max={limit} high={limit * 0.8} value={used} />
      </dd>
    </div>
  );
}

function bytesText(bytes: number): string {
  if (bytes < 1_000_000) return `${countText(Math.round(bytes / 1_000))} kB`;
  return `${countText(Math.round(bytes / 1_000_000))} MB`;
}
