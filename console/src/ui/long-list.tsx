/**
 * A table of any length, of which the rows on the screen are in the document. Rows are of one height,
 * so the scroll bar tells the truth and nothing moves when a page comes in. j and k walk the rows.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useShortcuts } from '../keys/shortcuts.ts';
import { type PagedSource, usePages } from '../live/pages.ts';
import { common, keyWords } from '../strings/common.ts';
import { useIsNarrow } from './media.ts';
import { ErrorPanel, Loading } from './states.tsx';
import { countText } from './text.ts';

const OVERSCAN = 8;
const ROW_PX = { wide: 38, narrow: 58 } as const;

export interface Column<Row> {
  readonly name: string;
  readonly head: ComponentChildren;
  readonly cell: (row: Row) => ComponentChildren;
}

export function LongList<Row>({
  label,
  source,
  columns,
  hrefOf,
  onOpen,
  empty,
}: {
  label: string;
  source: PagedSource<Row>;
  columns: readonly Column<Row>[];
  hrefOf: (row: Row) => string;
  onOpen: (href: string) => void;
  empty: ComponentChildren;
}) {
  const rowPx = useIsNarrow() ? ROW_PX.narrow : ROW_PX.wide;
  const body = useRef<HTMLTableSectionElement>(null);
  const view = useView(body, rowPx);
  const rows = usePages(source, view);
  const [at, setAt] = useState<number | null>(null);
  const { place } = rows;

  const isReady = !rows.isLoading;
  useLayoutEffect(() => {
    if (isReady && place.scrollY > 0) scrollTo(0, place.scrollY);
  }, [isReady, place]);
  useEffect(() => {
    const note = () => {
      place.scrollY = scrollY;
    };
    addEventListener('scroll', note, { passive: true });
    return () => removeEventListener('scroll', note);
  }, [place]);

  const go = (next: number) => {
    if (rows.count === 0) return;
    const to = Math.min(Math.max(next, 0), rows.count - 1);
    setAt(to);
    bringIntoView(body.current, to, rowPx);
  };
  useShortcuts([
    { keys: 'j', what: keyWords.next, act: () => go(at === null ? view.firstSeen : at + 1) },
    { keys: 'k', what: keyWords.previous, act: () => go(at === null ? view.firstSeen : at - 1) },
  ]);
  useLayoutEffect(() => {
    if (at === null) return;
    const row = body.current?.querySelector(`tr[data-at="${at}"] a`);
    if (row instanceof HTMLElement) row.focus({ preventScroll: true });
  }, [at, view.first]);

  if (rows.error !== null) return <ErrorPanel error={rows.error} retry={rows.retry} />;
  if (rows.isLoading) return <Loading rows={10} />;
  if (rows.count === 0 && rows.isWhole) return <>{empty}</>;
  const last = Math.min(view.last, rows.count - 1);
  const shown = Array.from(
    { length: Math.max(0, last - view.first + 1) },
    (_, n) => view.first + n,
  );
  return (
    <>
      {rows.unseen > 0 ? (
        <button
          type="button"
          class="unseen-rows"
          onClick={() => {
            rows.renew();
            scrollTo(0, 0);
          }}
        >
          {common.newRows(countText(rows.unseen))}
        </button>
      ) : null}
      <table
        class="long-list"
        aria-label={label}
        aria-rowcount={rows.isWhole ? rows.count + 1 : -1}
      >
        <thead>
          <tr aria-rowindex={1}>
            {columns.map(({ name, head }) => (
              <th key={name} scope="col" class={`col-${name}`}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          <Spacer rows={view.first} rowPx={rowPx} columns={columns.length} />
          {shown.map((index) => {
            const row = rows.rowAt(index);
            if (row === undefined)
              return (
                <Spacer key={`empty-${index}`} rows={1} rowPx={rowPx} columns={columns.length} />
              );
            const href = hrefOf(row);
            return (
              <tr
                key={source.idOf(row)}
                data-at={index}
                aria-rowindex={index + 2}
                class={index === at ? 'at' : ''}
                style={{ height: `${rowPx}px` }}
                onClick={(event) => {
                  if (!isInteractive(event.target)) onOpen(href);
                }}
              >
                {columns.map(({ name, cell }) => (
                  <td key={name} class={`col-${name}`}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
          <Spacer rows={rows.count - 1 - last} rowPx={rowPx} columns={columns.length} />
        </tbody>
      </table>
      {rows.isWhole ? <p class="list-end quiet">{common.endOfList}</p> : null}
    </>
  );
}

function Spacer({ rows, rowPx, columns }: { rows: number; rowPx: number; columns: number }) {
  if (rows <= 0) return null;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it takes the focus
    <tr class="spacer" aria-hidden="true" style={{ height: `${rows * rowPx}px` }}>
      <td colSpan={columns} />
    </tr>
  );
}

function isInteractive(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('a, button, input') !== null;
}

/** Which rows are on the screen, and some beside them. */
function useView(body: { current: HTMLElement | null }, rowPx: number) {
  const [view, setView] = useState({ first: 0, last: 30, firstSeen: 0, isAtTop: true });
  useEffect(() => {
    const look = () => {
      const top = body.current?.getBoundingClientRect().top ?? 0;
      const seen = Math.max(0, Math.floor(-top / rowPx));
      const first = Math.max(0, seen - OVERSCAN);
      const last = seen + Math.ceil(innerHeight / rowPx) + OVERSCAN;
      const isAtTop = scrollY < rowPx;
      setView((now) =>
        now.first === first &&
        now.last === last &&
        now.isAtTop === isAtTop &&
        now.firstSeen === seen
          ? now
          : { first, last, firstSeen: seen, isAtTop },
      );
    };
    look();
    addEventListener('scroll', look, { passive: true });
    addEventListener('resize', look);
    return () => {
      removeEventListener('scroll', look);
      removeEventListener('resize', look);
    };
  }, [body, rowPx]);
  return view;
}

/** Below the bar at the top, above the edge at the bottom. */
function bringIntoView(body: HTMLElement | null, index: number, rowPx: number): void {
  const top = (body?.getBoundingClientRect().top ?? 0) + index * rowPx;
  const margin = rowPx * 2;
  if (top < margin) scrollBy(0, top - margin);
  else if (top + rowPx > innerHeight - margin) scrollBy(0, top + rowPx - innerHeight + margin);
}
