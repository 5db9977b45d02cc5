/** The events as they come, and as far back as they go. */
import { Link, useLocation } from 'wouter-preact';
import type { EventRecord } from '../../../../src/contract/events.ts';
import { paths, useFilter } from '../../address.ts';
import { lists } from '../../api/routes.ts';
import { useCatalog } from '../../live/catalog.ts';
import type { PagedSource } from '../../live/pages.ts';
import { eventWords } from '../../strings/events.ts';
import {
  ClearFilters,
  FilterBar,
  FilterSelect,
  FilterText,
  FilterTime,
} from '../../ui/filters.tsx';
import { isJsonObject } from '../../ui/json-kind.ts';
import { type Column, LongList } from '../../ui/long-list.tsx';
import { PageHead } from '../../ui/page.tsx';
import { Empty } from '../../ui/states.tsx';
import { shortId, visible } from '../../ui/text.ts';
import { Time } from '../../ui/time.tsx';

const FILTERS = ['type', 'source', 'correlationId', 'from', 'to'] as const;

const COLUMNS: readonly Column<EventRecord>[] = [
  { name: 'at', head: eventWords.columns.at, cell: ({ receivedAt }) => <Time at={receivedAt} /> },
  {
    name: 'main',
    head: eventWords.columns.type,
    cell: ({ id, type }) => <Link href={paths.event(id)}>{type}</Link>,
  },
  { name: 'about', head: eventWords.columns.subject, cell: (event) => visible(aboutOf(event)) },
  { name: 'source', head: eventWords.columns.source, cell: ({ source }) => visible(source) },
  {
    name: 'runs',
    head: eventWords.columns.runs,
    cell: ({ runs }) => (
      <span class={runs.length === 0 ? 'quiet' : ''}>{eventWords.runsStarted(runs.length)}</span>
    ),
  },
  {
    name: 'id',
    head: eventWords.columns.id,
    cell: ({ id }) => (
      <span class="mono quiet" title={id}>
        {shortId(id)}
      </span>
    ),
  },
];

export function EventsPage() {
  const [, navigate] = useLocation();
  const { filter, set } = useFilter(FILTERS);
  const types = useCatalog()?.events.map(({ type }) => type) ?? [];
  const isFiltered = Object.keys(filter).length > 0;
  const source: PagedSource<EventRecord> = {
    name: 'events',
    filter,
    fetch: lists.events,
    idOf: ({ id }) => id,
    topic: 'feed',
    isFeed: true,
  };
  return (
    <>
      <PageHead title={eventWords.title} />
      <FilterBar label={eventWords.filters}>
        <FilterText
          label={eventWords.search}
          value={filter.correlationId}
          onSet={(text) => {
            if (text.startsWith('evt_')) navigate(paths.event(text));
            else set({ correlationId: text });
          }}
          isSearch
        />
        <FilterSelect
          label={eventWords.type}
          value={filter.type}
          onChoose={(type) => set({ type })}
          options={[
            { value: '', label: eventWords.anyType },
            ...(filter.type === undefined || types.includes(filter.type)
              ? types
              : [filter.type, ...types]
            ).map((type) => ({ value: type, label: type })),
          ]}
        />
        <FilterText
          label={eventWords.source}
          value={filter.source}
          onSet={(text) => set({ source: text })}
        />
        <FilterTime label={eventWords.from} value={filter.from} onSet={(from) => set({ from })} />
        <FilterTime label={eventWords.to} value={filter.to} onSet={(to) => set({ to })} />
        <ClearFilters
          isSet={isFiltered}
          onClear={() => set(Object.fromEntries(FILTERS.map((name) => [name, ''])))}
        />
      </FilterBar>
      <LongList
        label={eventWords.label}
        source={source}
        columns={COLUMNS}
        hrefOf={({ id }) => paths.event(id)}
        onOpen={navigate}
        empty={
          isFiltered ? (
            <Empty title={eventWords.noneFound}>{eventWords.noneFoundHow}</Empty>
          ) : (
            <Empty title={eventWords.empty}>{eventWords.emptyHow}</Empty>
          )
        }
      />
    </>
  );
}

/** What it is about, in one or two words: its subject, or what its data names first. */
function aboutOf({ subject, data }: EventRecord): string {
  if (subject !== null) return subject;
  if (!isJsonObject(data)) return '';
  for (const [name, value] of Object.entries(data)) {
    if (isJsonObject(value) && typeof value.id === 'string') return `${name} ${value.id}`;
    if (typeof value === 'string' && /id$/i.test(name)) return `${name} ${value}`;
  }
  return '';
}
