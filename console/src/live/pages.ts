/**
 * A list that may have a million rows, of which a few hundred are held. Pages are told apart by their
 * number and kept at the cursor that led to them, so that rows which come in meanwhile move none of
 * them. What is new is asked for apart, and stands before the first page.
 */
import { useQueries, useQuery } from '@tanstack/preact-query';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Filter, List } from '../api/routes.ts';
import { live, type Topic } from './live.ts';

export const PAGE_ROWS = 100;
/** Pages that nobody looks at are forgotten so long after. */
const KEPT_MS = 5_000;

export interface PagedSource<Row> {
  /** Under which it is cached and remembered: the list's name and its filter. */
  readonly name: string;
  readonly filter: Filter;
  readonly fetch: (query: Filter, signal?: AbortSignal) => Promise<List<Row>>;
  readonly idOf: (row: Row) => string;
  readonly topic: Topic;
  /** Whether new rows come before the others; not so where the most urgent stands first. */
  readonly isFeed: boolean;
}

/** Where somebody was in a list that they may come back to. */
interface Place {
  readonly anchor: number;
  readonly cursors: (string | null)[];
  lastRows: number;
  isWhole: boolean;
  scrollY: number;
}

const PLACES_KEPT = 20;
const places = new Map<string, Place>();
let anchors = 0;

function newPlace(): Place {
  anchors += 1;
  return { anchor: anchors, cursors: [null], lastRows: 0, isWhole: false, scrollY: 0 };
}

function placeOf(key: string): Place {
  const known = places.get(key) ?? newPlace();
  places.delete(key);
  places.set(key, known);
  if (places.size > PLACES_KEPT) places.delete(places.keys().next().value ?? '');
  return known;
}

export interface PagedRows<Row> {
  /** How many rows are known of, the new ones too. */
  readonly count: number;
  readonly isWhole: boolean;
  readonly isLoading: boolean;
  readonly error: Error | null;
  readonly place: { scrollY: number };
  /** New rows that are not shown while `isAtTop` is false. */
  readonly unseen: number;
  rowAt(index: number): Row | undefined;
  /** Starts anew from the newest row. */
  renew(): void;
  retry(): void;
}

/** @param first and @param last the rows that are on the screen */
export function usePages<Row>(
  source: PagedSource<Row>,
  { first, last, isAtTop }: { first: number; last: number; isAtTop: boolean },
): PagedRows<Row> {
  const { name, filter, fetch, idOf, topic, isFeed } = source;
  const key = `${name} ${JSON.stringify(filter)}`;
  const [, redraw] = useState(0);
  const ref = useRef<{ key: string; place: Place }>({ key, place: placeOf(key) });
  if (ref.current.key !== key) ref.current = { key, place: placeOf(key) };
  const { place } = ref.current;

  const head = useQuery({
    queryKey: [name, filter, 'head'],
    queryFn: ({ signal }) => fetch({ ...filter, limit: PAGE_ROWS }, signal),
    enabled: isFeed,
    ...live(topic),
  });
  const pages = useQueries({
    queries: pagesAround(first, last, place).map((page) => ({
      queryKey: [name, filter, place.anchor, page],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        fetch({ ...filter, limit: PAGE_ROWS, cursor: place.cursors[page] ?? null }, signal),
      gcTime: KEPT_MS,
      ...live(isFeed && page > 0 ? 'list' : topic),
      meta: { page },
    })),
  });
  const numbers = pagesAround(first, last, place);
  const held = new Map<number, List<Row>>();
  for (const [at, { data }] of pages.entries()) {
    const page = numbers[at];
    if (data !== undefined && page !== undefined) held.set(page, data);
  }

  const end = held.get(place.cursors.length - 1);
  useEffect(() => {
    if (end === undefined) return;
    place.lastRows = end.items.length;
    place.isWhole = end.nextCursor === null;
    if (end.nextCursor !== null) place.cursors.push(end.nextCursor);
    redraw((n) => n + 1);
  }, [end, place]);

  const firstPage = held.get(0)?.items;
  const newest = head.data?.items ?? [];
  const fresh = freshRows(newest, firstPage, idOf);
  const changed = new Map(newest.map((row) => [idOf(row), row]));
  // All of them new: there may be more between these and the first page.
  const hasGap = isFeed && firstPage !== undefined && fresh.length === PAGE_ROWS;
  const shown = isAtTop && !hasGap ? fresh.length : 0;
  const renew = () => {
    const next = newPlace();
    places.set(key, next);
    ref.current = { key, place: next };
    redraw((n) => n + 1);
  };
  useEffect(() => {
    if (hasGap && isAtTop) renew();
  });

  const known = (place.cursors.length - 1) * PAGE_ROWS + (place.isWhole ? place.lastRows : 0);
  const failed = pages.find(({ error }) => error !== null);
  return {
    count: shown + known,
    isWhole: place.isWhole,
    isLoading: firstPage === undefined && failed === undefined,
    error: firstPage === undefined ? (failed?.error ?? null) : null,
    place,
    unseen: fresh.length - shown,
    rowAt(index) {
      if (index < shown) return fresh[index];
      const at = index - shown;
      const row = held.get(Math.floor(at / PAGE_ROWS))?.items[at % PAGE_ROWS];
      return row === undefined ? undefined : (changed.get(idOf(row)) ?? row);
    },
    renew,
    retry: () => void Promise.all(pages.map(({ refetch }) => refetch())),
  };
}

/** The pages of the rows on the screen, and the one that comes next. */
function pagesAround(first: number, last: number, { cursors }: Place): number[] {
  const from = Math.max(0, Math.floor(first / PAGE_ROWS));
  const to = Math.min(cursors.length - 1, Math.floor((last + PAGE_ROWS / 2) / PAGE_ROWS));
  const start = Math.min(from, cursors.length - 1);
  const around = Array.from({ length: Math.max(1, to - start + 1) }, (_, at) => start + at);
  return around.includes(0) ? around : [0, ...around];
}

/** Those of the newest rows that the first page does not have. */
function freshRows<Row>(
  newest: readonly Row[],
  firstPage: readonly Row[] | undefined,
  idOf: (row: Row) => string,
): readonly Row[] {
  const first = firstPage?.[0];
  if (firstPage === undefined) return [];
  if (first === undefined) return newest;
  const known = new Set(firstPage.map(idOf));
  const at = newest.findIndex((row) => known.has(idOf(row)));
  return at === -1 ? newest : newest.slice(0, at);
}
