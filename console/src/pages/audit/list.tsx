/** The audit trail: who did what to what, and that nothing of it was changed. */
import { useState } from 'preact/hooks';
import { Link, useLocation } from 'wouter-preact';
import type { AuditEntry } from '../../../../src/contract/audit.ts';
import { paths, useFilter } from '../../address.ts';
import { lists, settings } from '../../api/routes.ts';
import { useCaller, useIsAdmin } from '../../caller.ts';
import type { PagedSource } from '../../live/pages.ts';
import { auditWords } from '../../strings/audit.ts';
import { useAction } from '../../ui/action.ts';
import { ClearFilters, FilterBar, FilterText, FilterTime } from '../../ui/filters.tsx';
import { type Column, LongList } from '../../ui/long-list.tsx';
import { PageHead } from '../../ui/page.tsx';
import { saveFile } from '../../ui/save-file.ts';
import { Empty, ErrorLine } from '../../ui/states.tsx';
import { shortId, visible } from '../../ui/text.ts';
import { Time } from '../../ui/time.tsx';
import { VerifyDialog } from './verify.tsx';

const FILTERS = ['action', 'actor', 'target', 'from', 'to'] as const;

const COLUMNS: readonly Column<AuditEntry>[] = [
  {
    name: 'seq',
    head: auditWords.columns.seq,
    cell: ({ seq }) => <span class="mono quiet">{seq}</span>,
  },
  { name: 'at', head: auditWords.columns.at, cell: ({ at }) => <Time at={at} /> },
  {
    name: 'main',
    head: auditWords.columns.action,
    cell: ({ seq, action }) => <Link href={paths.auditEntry(seq)}>{action}</Link>,
  },
  { name: 'actor', head: auditWords.columns.actor, cell: ({ actor }) => visible(actor.name) },
  {
    name: 'target',
    head: auditWords.columns.target,
    cell: ({ target }) => (
      <span title={target.id}>
        {target.type} <span class="mono quiet">{visible(shortId(target.id))}</span>
      </span>
    ),
  },
];

export function AuditPage() {
  const [, navigate] = useLocation();
  const { filter, set } = useFilter(FILTERS);
  const [isVerifying, setIsVerifying] = useState(false);
  const source: PagedSource<AuditEntry> = {
    name: 'audit',
    filter,
    fetch: lists.audit,
    idOf: ({ seq }) => String(seq),
    topic: 'feed',
    isFeed: true,
  };
  return (
    <>
      <PageHead title={auditWords.title}>
        <Export filter={filter} />
        <button type="button" class="button" onClick={() => setIsVerifying(true)}>
          {auditWords.verify}
        </button>
      </PageHead>
      <FilterBar label={auditWords.filters}>
        <FilterText
          label={auditWords.search}
          value={filter.target}
          onSet={(target) => set({ target })}
          isSearch
        />
        <FilterText
          label={auditWords.action}
          value={filter.action}
          onSet={(action) => set({ action })}
        />
        <FilterText
          label={auditWords.actor}
          value={filter.actor}
          onSet={(actor) => set({ actor })}
        />
        <FilterTime label={auditWords.from} value={filter.from} onSet={(from) => set({ from })} />
        <FilterTime label={auditWords.to} value={filter.to} onSet={(to) => set({ to })} />
        <ClearFilters
          isSet={Object.keys(filter).length > 0}
          onClear={() => set(Object.fromEntries(FILTERS.map((name) => [name, ''])))}
        />
      </FilterBar>
      <LongList
        label={auditWords.label}
        source={source}
        columns={COLUMNS}
        hrefOf={({ seq }) => paths.auditEntry(seq)}
        onOpen={navigate}
        empty={<Empty title={auditWords.noneFound}>{auditWords.noneFoundHow}</Empty>}
      />
      {isVerifying ? <VerifyDialog onClose={() => setIsVerifying(false)} /> : null}
    </>
  );
}

function Export({ filter }: { filter: Partial<Record<(typeof FILTERS)[number], string>> }) {
  const isAdmin = useIsAdmin();
  const { tenant } = useCaller();
  const action = useAction();
  if (!isAdmin) return null;
  const save = () =>
    action.run(async () => {
      const { from, to } = filter;
      saveFile(await settings.exportAudit({ from, to }), `audit-${tenant.id}.ndjson`);
    });
  return (
    <>
      <ErrorLine error={action.error} />
      <button
        type="button"
        class="button"
        title={auditWords.exportHow}
        disabled={action.isBusy}
        onClick={() => void save()}
      >
        {action.isBusy ? auditWords.exporting : auditWords.export}
      </button>
    </>
  );
}
