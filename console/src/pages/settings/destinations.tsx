/** Where webhooks go: which destinations are in trouble, and every request that was made. */
import { useState } from 'preact/hooks';
import { Link, useLocation } from 'wouter-preact';
import type { Delivery, Destination } from '../../../../src/contract/deliveries.ts';
import { paths, useFilter } from '../../address.ts';
import { lists, settings } from '../../api/routes.ts';
import { useIsAdmin } from '../../caller.ts';
import type { PagedSource } from '../../live/pages.ts';
import { destinationsWords } from '../../strings/settings.ts';
import { useAction } from '../../ui/action.ts';
import { ClearFilters, FilterBar, FilterSelect, FilterText } from '../../ui/filters.tsx';
import { type Column, LongList } from '../../ui/long-list.tsx';
import { Empty, ErrorLine } from '../../ui/states.tsx';
import { Status, statusWord } from '../../ui/status.tsx';
import { spanText, timeText, visible } from '../../ui/text.ts';
import { Time } from '../../ui/time.tsx';
import { useSettingList } from './list-query.tsx';

const FILTERS = ['destination', 'status'] as const;
const { log } = destinationsWords;

const COLUMNS: readonly Column<Delivery>[] = [
  { name: 'at', head: log.at, cell: ({ startedAt }) => <Time at={startedAt} /> },
  { name: 'status', head: log.status, cell: ({ status }) => <Status status={status} /> },
  {
    name: 'main',
    head: log.destination,
    cell: ({ id, destination }) => <Link href={paths.delivery(id)}>{visible(destination)}</Link>,
  },
  {
    name: 'answer',
    head: log.answer,
    cell: ({ responseStatus, code }) =>
      `${responseStatus ?? '–'}${code === null ? '' : ` ${code}`}`,
  },
  { name: 'took', head: log.took, cell: ({ durationMs }) => spanText(durationMs) },
];

export function DestinationsPart() {
  const [, navigate] = useLocation();
  const { filter, set } = useFilter(FILTERS);
  const source: PagedSource<Delivery> = {
    name: 'deliveries',
    filter,
    fetch: lists.deliveries,
    idOf: ({ id }) => id,
    topic: 'feed',
    isFeed: true,
  };
  return (
    <>
      <h2 class="part-title">{destinationsWords.health}</h2>
      <Trouble />
      <h2 class="part-title">{destinationsWords.deliveries}</h2>
      <FilterBar label={destinationsWords.deliveries}>
        <FilterText
          label={destinationsWords.destination}
          value={filter.destination}
          onSet={(destination) => set({ destination })}
          isSearch
        />
        <FilterSelect
          label={destinationsWords.status}
          value={filter.status}
          options={[
            { value: '', label: destinationsWords.anyStatus },
            ...['delivered', 'failed'].map((value) => ({ value, label: statusWord(value) })),
          ]}
          onChoose={(status) => set({ status })}
        />
        <ClearFilters
          isSet={Object.keys(filter).length > 0}
          onClear={() => set({ destination: '', status: '' })}
        />
      </FilterBar>
      <LongList
        label={destinationsWords.label}
        source={source}
        columns={COLUMNS}
        hrefOf={({ id }) => paths.delivery(id)}
        onOpen={navigate}
        empty={<Empty title={destinationsWords.none}>{destinationsWords.noneHow}</Empty>}
      />
    </>
  );
}

function Trouble() {
  const { data } = useSettingList('destinations', lists.destinations);
  const items = data?.items ?? [];
  const { columns } = destinationsWords;
  if (data === undefined) return <p class="quiet">…</p>;
  if (items.length === 0) return <p class="quiet">{destinationsWords.allGood}.</p>;
  return (
    <table class="plain-table" aria-label={destinationsWords.health}>
      <thead>
        <tr>
          <th scope="col">{columns.url}</th>
          <th scope="col">{columns.state}</th>
          <th scope="col" class="wide-only">
            {columns.since}
          </th>
          <th scope="col" class="wide-only">
            {columns.last}
          </th>
          <td />
        </tr>
      </thead>
      <tbody>
        {items.map((one) => (
          <Row key={one.url} destination={one} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ destination }: { destination: Destination }) {
  const { url, state, failingSince, failures, lastCode, lastStatus, reason, nextProbeAt } =
    destination;
  const isAdmin = useIsAdmin();
  const action = useAction();
  const [queued, setQueued] = useState<number | null>(null);
  const turn = () => action.run(() => settings.switchDestination(url, state === 'disabled'));
  const missed = () =>
    action.run(async () => {
      const since = failingSince ?? destination.disabledAt ?? new Date(0).toISOString();
      setQueued((await settings.redeliverSince(url, since)).queued);
    });
  return (
    <tr>
      <td class="col-main">{visible(url)}</td>
      <td>
        <Status status={state} />
        {reason === null ? null : (
          <div class="quiet small">{destinationsWords.reasons[reason]}</div>
        )}
        {nextProbeAt === null ? null : (
          <div class="quiet small">{destinationsWords.probe(timeText(nextProbeAt))}</div>
        )}
      </td>
      <td class="wide-only">{failingSince === null ? '' : <Time at={failingSince} />}</td>
      <td class="wide-only">
        {lastStatus ?? '–'} {lastCode} <span class="quiet">({failures})</span>
      </td>
      <td class="row-action">
        {isAdmin ? (
          <>
            <button type="button" class="link" disabled={action.isBusy} onClick={() => void turn()}>
              {state === 'disabled' ? destinationsWords.enable : destinationsWords.disable}
            </button>
            <button
              type="button"
              class="link"
              disabled={action.isBusy}
              onClick={() => void missed()}
            >
              {destinationsWords.missed}
            </button>
            <span role="status">{queued === null ? '' : destinationsWords.queued(queued)}</span>
          </>
        ) : null}
        <ErrorLine error={action.error} />
      </td>
    </tr>
  );
}
