/** All runs, the newest first, as far back as they go. */
import { Link, useLocation } from 'wouter-preact';
import type { RunItem } from '../../../../src/contract/runs.ts';
import { paths, useFilter } from '../../address.ts';
import { lists } from '../../api/routes.ts';
import { useCatalog, useWorkflowNames } from '../../live/catalog.ts';
import type { PagedSource } from '../../live/pages.ts';
import { runWords } from '../../strings/runs.ts';
import {
  ClearFilters,
  FilterBar,
  FilterSelect,
  FilterText,
  FilterTime,
} from '../../ui/filters.tsx';
import { type Column, LongList } from '../../ui/long-list.tsx';
import { PageHead } from '../../ui/page.tsx';
import { Empty } from '../../ui/states.tsx';
import { Status, statusWord } from '../../ui/status.tsx';
import { shortId, spanBetween, visible } from '../../ui/text.ts';
import { Time } from '../../ui/time.tsx';
import { TookSoFar } from './took.tsx';

const FILTERS = ['q', 'status', 'workflowId', 'eventType', 'correlationId', 'from', 'to'] as const;
/** It leads to the run at once; the beginning of one is looked for. */
const WHOLE_RUN_ID = /^run_[0-9a-f]{32}$/;
const STATUSES = [
  'pending_approval',
  'running',
  'waiting',
  'queued',
  'succeeded',
  'failed',
  'denied',
  'expired',
  'cancelled',
];

const COLUMNS: readonly Column<RunItem>[] = [
  { name: 'at', head: runWords.columns.at, cell: ({ createdAt }) => <Time at={createdAt} /> },
  {
    name: 'status',
    head: runWords.columns.status,
    cell: ({ status }) => <Status status={status} />,
  },
  {
    name: 'main',
    head: runWords.columns.workflow,
    cell: ({ id, workflowName }) => <Link href={paths.run(id)}>{visible(workflowName)}</Link>,
  },
  { name: 'event', head: runWords.columns.event, cell: ({ eventType }) => eventType },
  {
    name: 'took',
    head: runWords.columns.took,
    cell: ({ createdAt, finishedAt }) =>
      finishedAt === null ? <TookSoFar since={createdAt} /> : spanBetween(createdAt, finishedAt),
  },
  {
    name: 'id',
    head: runWords.columns.id,
    cell: ({ id }) => (
      <span class="mono quiet" title={id}>
        {shortId(id)}
      </span>
    ),
  },
];

export function RunsPage() {
  const [, navigate] = useLocation();
  const { filter, set } = useFilter(FILTERS);
  const isFiltered = Object.keys(filter).length > 0;
  const source: PagedSource<RunItem> = {
    name: 'runs',
    filter,
    fetch: lists.runs,
    idOf: ({ id }) => id,
    topic: 'feed',
    isFeed: true,
  };
  return (
    <>
      <PageHead title={runWords.title} />
      <Filters
        filter={filter}
        set={set}
        onSearch={(text) => {
          if (WHOLE_RUN_ID.test(text)) navigate(paths.run(text));
          else set({ q: text, correlationId: '' });
        }}
      />
      <LongList
        label={runWords.label}
        source={source}
        columns={COLUMNS}
        hrefOf={({ id }) => paths.run(id)}
        onOpen={navigate}
        empty={
          isFiltered ? (
            <Empty title={runWords.noneFound}>{runWords.noneFoundHow}</Empty>
          ) : (
            <Empty title={runWords.empty}>{runWords.emptyHow}</Empty>
          )
        }
      />
    </>
  );
}

type Filter = Partial<Record<(typeof FILTERS)[number], string>>;

function Filters({
  filter,
  set,
  onSearch,
}: {
  filter: Filter;
  set: (change: Filter) => void;
  onSearch: (text: string) => void;
}) {
  const names = useWorkflowNames();
  const types = useCatalog()?.events.map(({ type }) => type) ?? [];
  return (
    <FilterBar label={runWords.filters}>
      <FilterText
        label={runWords.search}
        value={filter.q ?? filter.correlationId}
        onSet={(text) => (text === '' ? set({ q: '', correlationId: '' }) : onSearch(text))}
        isSearch
      />
      <FilterSelect
        label={runWords.status}
        value={filter.status}
        onChoose={(status) => set({ status })}
        options={[
          { value: '', label: runWords.anyStatus },
          ...STATUSES.map((value) => ({ value, label: statusWord(value) })),
        ]}
      />
      <FilterSelect
        label={runWords.workflow}
        value={filter.workflowId}
        onChoose={(workflowId) => set({ workflowId })}
        options={[
          { value: '', label: runWords.anyWorkflow },
          ...[...names].map(([value, label]) => ({ value, label })),
        ]}
      />
      <FilterSelect
        label={runWords.eventType}
        value={filter.eventType}
        onChoose={(eventType) => set({ eventType })}
        options={[
          { value: '', label: runWords.anyType },
          ...withOwn(types, filter.eventType).map((type) => ({ value: type, label: type })),
        ]}
      />
      <FilterTime label={runWords.from} value={filter.from} onSet={(from) => set({ from })} />
      <FilterTime label={runWords.to} value={filter.to} onSet={(to) => set({ to })} />
      <ClearFilters
        isSet={Object.keys(filter).length > 0}
        onClear={() => set(Object.fromEntries(FILTERS.map((name) => [name, ''])))}
      />
    </FilterBar>
  );
}

/** A type of a tenant's own is in no catalog, and may be in the address. */
function withOwn(types: readonly string[], own: string | undefined): readonly string[] {
  return own === undefined || types.includes(own) ? types : [own, ...types];
}
