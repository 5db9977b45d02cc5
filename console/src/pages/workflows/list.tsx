/** The workflows: which are on, when each ran last, and how it went. */
import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import type { WorkflowItem } from '../../../../src/contract/workflows.ts';
import { paths, useFilter } from '../../address.ts';
import { lists, workflows } from '../../api/routes.ts';
import { useIsAdmin } from '../../caller.ts';
import { live } from '../../live/live.ts';
import { workflowWords } from '../../strings/workflows.ts';
import { useAction } from '../../ui/action.ts';
import { ClearFilters, FilterBar, FilterText } from '../../ui/filters.tsx';
import { Choice, PageHead } from '../../ui/page.tsx';
import { RowKeys } from '../../ui/row-keys.tsx';
import { Empty, ErrorLine, ErrorPanel, Loading } from '../../ui/states.tsx';
import { visible } from '../../ui/text.ts';
import { RecentRuns } from './recent.tsx';

const SWITCHES = ['all', 'on', 'off'] as const;

export function WorkflowsPage() {
  const { filter, set } = useFilter(['q', 'switch']);
  const isAdmin = useIsAdmin();
  const { data, error, refetch } = useQuery({
    queryKey: ['workflows', 'list'],
    queryFn: ({ signal }) => lists.workflows({ limit: 200 }, signal),
    ...live('list'),
  });
  const chosen = SWITCHES.find((one) => one === filter.switch) ?? 'all';
  const text = (filter.q ?? '').toLowerCase();
  const shown = (data?.items ?? []).filter(
    ({ name, event, enabled }) =>
      `${name} ${event}`.toLowerCase().includes(text) &&
      (chosen === 'all' || enabled === (chosen === 'on')),
  );
  return (
    <>
      <PageHead title={workflowWords.title}>
        {isAdmin ? (
          <Link href={paths.newWorkflow} class="button primary">
            {workflowWords.create}
          </Link>
        ) : null}
      </PageHead>
      <FilterBar label={workflowWords.search}>
        <FilterText
          label={workflowWords.search}
          value={filter.q}
          onSet={(q) => set({ q })}
          isSearch
        />
        <Choice
          label={workflowWords.switchLabel}
          value={chosen}
          options={SWITCHES.map((value) => ({ value, label: workflowWords.switches[value] }))}
          onChoose={(value) => set({ switch: value === 'all' ? '' : value })}
        />
        <ClearFilters
          isSet={Object.keys(filter).length > 0}
          onClear={() => set({ q: '', switch: '' })}
        />
      </FilterBar>
      {error === null ? null : <ErrorPanel error={error} retry={() => void refetch()} />}
      {data === undefined && error === null ? <Loading /> : null}
      {data === undefined || data.items.length > 0 ? null : (
        <Empty title={workflowWords.empty}>{workflowWords.emptyHow}</Empty>
      )}
      {data !== undefined && data.items.length > 0 && shown.length === 0 ? (
        <Empty title={workflowWords.noneFound} />
      ) : null}
      {shown.length > 0 ? <Table items={shown} isAdmin={isAdmin} /> : null}
    </>
  );
}

function Table({ items, isAdmin }: { items: readonly WorkflowItem[]; isAdmin: boolean }) {
  const { columns } = workflowWords;
  return (
    <RowKeys>
      <table class="plain-table workflows" aria-label={workflowWords.label}>
        <thead>
          <tr>
            <th scope="col">{columns.switch}</th>
            <th scope="col">{columns.name}</th>
            <th scope="col" class="wide-only">
              {columns.event}
            </th>
            <th scope="col">{columns.last}</th>
            <th scope="col" class="wide-only">
              {columns.rate}
            </th>
            <th scope="col" class="wide-only">
              {columns.recent}
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={item.id} class={item.enabled ? '' : 'is-off'}>
              <td>
                <Switch item={item} isAdmin={isAdmin} />
              </td>
              <td class="col-main">
                <Link href={paths.workflow(item.id)} data-row>
                  {visible(item.name)}
                </Link>
              </td>
              <td class="wide-only">{item.event}</td>
              <RecentRuns workflowId={item.id} />
            </tr>
          ))}
        </tbody>
      </table>
    </RowKeys>
  );
}

/** On or off by word and place, not by colour alone. */
export function Switch({
  item: { id, name, enabled },
  isAdmin,
}: {
  item: Pick<WorkflowItem, 'id' | 'name' | 'enabled'>;
  isAdmin: boolean;
}) {
  const action = useAction();
  const [wanted, setWanted] = useState<boolean | null>(null);
  const turn = async () => {
    setWanted(!enabled);
    await action.run(() => workflows.setEnabled(id, !enabled));
    setWanted(null);
  };
  return (
    <>
      <button
        type="button"
        role="switch"
        class={wanted === null ? 'switch' : 'switch is-turning'}
        aria-checked={enabled}
        aria-label={enabled ? workflowWords.turnOff(name) : workflowWords.turnOn(name)}
        disabled={!isAdmin || action.isBusy}
        onClick={() => void turn()}
      />
      <ErrorLine error={action.error} />
    </>
  );
}
