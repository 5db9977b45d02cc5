/**
 * A workflow as a signal box shows its line: stations for steps, track between them, and the lamps of
 * a run. The picture is a list of buttons in the steps' order; the lines are for the eye.
 */
import type { ComponentChildren } from 'preact';
import { Shape, signalOf, statusWord } from '../ui/status.tsx';
import { type Picture, type Placed, pictureOf, type Station } from './layout.ts';

const COLUMN_PX = 136;
const ROW_PX = 84;
const LEFT_PX = 138;
const TOP_PX = 30;
const BEND_PX = 16;

export interface StationLook {
  readonly title: string;
  readonly detail: string;
  /** Of a run's step; null in an editor. */
  readonly status: string | null;
  readonly faults: number;
}

export function Track({
  label,
  stations,
  trigger,
  look,
  chosen,
  onChoose,
}: {
  label: string;
  stations: readonly Station[];
  trigger: StationLook;
  look: (id: string) => StationLook;
  chosen: string | null;
  /** Null: the trigger. */
  onChoose: (id: string | null) => void;
}) {
  const picture = pictureOf(stations);
  const width = LEFT_PX + picture.columns * COLUMN_PX + 40;
  const height = Math.max(1, picture.rows) * ROW_PX + TOP_PX - 4;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
    <section class="track-scroll" aria-label={label} tabIndex={0}>
      <div class="track" style={{ width: `${width}px`, height: `${height}px` }}>
        <svg width={width} height={height} aria-hidden="true" focusable="false">
          {startLines(picture).map((to) => (
            <path
              key={to.id}
              class={lineClass(look(to.id).status)}
              d={lineFrom({ x: 40, y: TOP_PX }, pointOf(to))}
            />
          ))}
          {picture.lines.map(({ from, to }) => {
            const [a, b] = [from, to].map((id) => picture.stations.find((one) => one.id === id));
            if (a === undefined || b === undefined) return null;
            return (
              <path
                key={`${from} ${to}`}
                class={lineClass(look(to).status)}
                d={lineFrom(pointOf(a), pointOf(b))}
              />
            );
          })}
          <path class="buffer" d={`M40 ${TOP_PX - 9}v18`} />
        </svg>
        <ol>
          <StationButton
            at={{ x: 40, y: TOP_PX }}
            look={trigger}
            isChosen={chosen === null}
            onChoose={() => onChoose(null)}
            isTrigger
          />
          {picture.stations.map((station) => (
            <StationButton
              key={station.id}
              at={pointOf(station)}
              look={look(station.id)}
              isChosen={chosen === station.id}
              onChoose={() => onChoose(station.id)}
            />
          ))}
        </ol>
      </div>
    </section>
  );
}

function StationButton({
  at,
  look,
  isChosen,
  onChoose,
  isTrigger = false,
}: {
  at: Point;
  look: StationLook;
  isChosen: boolean;
  onChoose: () => void;
  isTrigger?: boolean;
}) {
  const { title, detail, status, faults } = look;
  return (
    <li style={{ left: `${at.x}px`, top: `${at.y}px` }}>
      <button
        type="button"
        class={`station${isTrigger ? ' trigger' : ''}${faults > 0 ? ' faulty' : ''} ${status === null ? '' : signalOf(status)}`}
        aria-pressed={isChosen}
        onClick={onChoose}
      >
        <Lamp status={status} isTrigger={isTrigger} />
        <span class="station-name">{title}</span>
        <span class="station-detail">{detail}</span>
        {status === null ? null : <span class="unseen">{statusWord(status)}</span>}
        {faults > 0 ? <span class="station-faults">{faults}</span> : null}
      </button>
    </li>
  );
}

function Lamp({
  status,
  isTrigger,
}: {
  status: string | null;
  isTrigger: boolean;
}): ComponentChildren {
  if (isTrigger) return <span class="lamp none" aria-hidden="true" />;
  return (
    <span class="lamp" aria-hidden="true">
      {status === null ? null : <Shape status={status} />}
    </span>
  );
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function pointOf({ column, row }: Placed): Point {
  return { x: LEFT_PX + 60 + column * COLUMN_PX, y: TOP_PX + row * ROW_PX };
}

/** Those that need nothing begin at the trigger. */
function startLines({ stations, lines }: Picture): Placed[] {
  const later = new Set(lines.map(({ to }) => to));
  return stations.filter(({ id }) => !later.has(id));
}

/** Straight, then by 45 degrees to the other row, as track is laid. */
function lineFrom(from: Point, to: Point): string {
  const rise = to.y - from.y;
  if (rise === 0) return `M${from.x} ${from.y}H${to.x}`;
  const run = Math.min(Math.abs(rise), to.x - from.x - 2 * BEND_PX);
  const bend = to.x - BEND_PX - run;
  return `M${from.x} ${from.y}H${bend}L${bend + run} ${to.y}H${to.x}`;
}

function lineClass(status: string | null): string {
  return status === null ? 'rail' : `rail ${signalOf(status)} ${status}`;
}
