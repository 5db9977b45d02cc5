/** Bars over time, told apart by place in the bar, pattern and word; the same as a table for whoever reads it. */
import { overviewWords } from '../../strings/overview.ts';
import { countText, spanText, timeText } from '../../ui/text.ts';
import { type Bucket, type Series, SIGNALS } from './aggregate.ts';

const HEIGHT = 96;
const WIDTH = 640;

export function Bars({
  series,
  what,
  isPlain = false,
}: {
  series: Series;
  what: string;
  isPlain?: boolean;
}) {
  const { buckets, stepMs } = series;
  const highest = Math.max(1, ...buckets.map(({ total }) => total));
  const width = WIDTH / buckets.length;
  const label = overviewWords.chartOf(what, spanText(stepMs));
  const [first] = buckets;
  return (
    <figure class="chart">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT + 1}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={label}
      >
        <path class="base" d={`M0 ${HEIGHT + 0.5}h${WIDTH}`} />
        {buckets.map((bucket, at) => (
          <Bar
            key={bucket.from}
            bucket={bucket}
            x={at * width}
            width={Math.max(1, width - Math.min(2, width / 4))}
            scale={HEIGHT / highest}
            isPlain={isPlain}
          />
        ))}
      </svg>
      <div class="chart-scale quiet" aria-hidden="true">
        <span>{first === undefined ? '' : timeText(new Date(first.from).toISOString())}</span>
        <span>
          {label}, {countText(highest)} at most
        </span>
        <span>{timeText(new Date(Date.now()).toISOString())}</span>
      </div>
      <details>
        <summary>{overviewWords.table}</summary>
        <Table series={series} isPlain={isPlain} what={what} />
      </details>
    </figure>
  );
}

function Bar({
  bucket,
  x,
  width,
  scale,
  isPlain,
}: {
  bucket: Bucket;
  x: number;
  width: number;
  scale: number;
  isPlain: boolean;
}) {
  if (isPlain)
    return (
      <rect
        class="move"
        x={x}
        y={HEIGHT - bucket.total * scale}
        width={width}
        height={bucket.total * scale}
      />
    );
  let below = 0;
  return (
    <>
      {SIGNALS.map((signal) => {
        const height = bucket.counts[signal] * scale;
        if (height === 0) return null;
        below += height;
        return (
          <rect
            key={signal}
            class={signal}
            x={x}
            y={HEIGHT - below}
            width={width}
            height={height}
          />
        );
      })}
    </>
  );
}

function Table({ series, isPlain, what }: { series: Series; isPlain: boolean; what: string }) {
  const columns = isPlain ? [] : SIGNALS;
  const rows = series.buckets.filter(({ total }) => total > 0).toReversed();
  return (
    <table class="plain-table">
      <thead>
        <tr>
          <th scope="col">{overviewWords.from}</th>
          <th scope="col">{what}</th>
          {columns.map((signal) => (
            <th key={signal} scope="col">
              {overviewWords.ended[signal]}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ from, total, counts }) => (
          <tr key={from}>
            <td>{timeText(new Date(from).toISOString())}</td>
            <td>{countText(total)}</td>
            {columns.map((signal) => (
              <td key={signal}>{countText(counts[signal])}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
