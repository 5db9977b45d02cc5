/** A workflow's last runs: when, how many went well, and each of them as a mark. */
import { useQuery } from '@tanstack/preact-query';
import type { RunItem } from '../../../../src/contract/runs.ts';
import { lists } from '../../api/routes.ts';
import { live } from '../../live/live.ts';
import { workflowWords } from '../../strings/workflows.ts';
import { type Signal, signalOf, statusWord } from '../../ui/status.tsx';
import { Time } from '../../ui/time.tsx';

const LOOKED_AT = 50;
const MARKS = 24;

export function RecentRuns({ workflowId }: { workflowId: string }) {
  const { data } = useQuery({
    queryKey: ['runs', 'of', workflowId],
    queryFn: ({ signal }) => lists.runs({ workflowId, limit: LOOKED_AT }, signal),
    ...live('slow'),
  });
  const items = data?.items ?? [];
  const ended = items.filter(({ finishedAt }) => finishedAt !== null);
  const good = ended.filter(({ status }) => status === 'succeeded').length;
  const [last] = items;
  return (
    <>
      <td>
        {data === undefined ? null : last === undefined ? (
          <span class="quiet">{workflowWords.never}</span>
        ) : (
          <Time at={last.createdAt} />
        )}
      </td>
      <td class="wide-only">
        {ended.length === 0
          ? null
          : workflowWords.rateOf(Math.round((good / ended.length) * 100), ended.length)}
      </td>
      <td class="wide-only">
        {items.length === 0 ? null : <Marks runs={items.slice(0, MARKS).toReversed()} />}
      </td>
    </>
  );
}

/** High for what went well, low for what did not: told apart without colour. */
const HEIGHTS: Readonly<Record<Signal, number>> = { go: 14, move: 9, hold: 9, off: 5, stop: 5 };

function Marks({ runs }: { runs: readonly RunItem[] }) {
  const words = runs.map(({ status }) => statusWord(status)).join(', ');
  return (
    <svg
      class="marks"
      width={MARKS * 6}
      height="16"
      viewBox={`0 0 ${MARKS * 6} 16`}
      role="img"
      aria-label={workflowWords.sparkline(words)}
    >
      {runs.map(({ id, status }, at) => {
        const signal = signalOf(status);
        const height = HEIGHTS[signal];
        return (
          <rect
            key={id}
            class={signal}
            x={at * 6}
            y={signal === 'stop' ? 9 : 15 - height}
            width="4"
            height={height}
          />
        );
      })}
      <path class="base" d={`M0 15.5h${MARKS * 6}`} />
    </svg>
  );
}
