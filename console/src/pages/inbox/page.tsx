/** The inbox: what waits for me, the most urgent first, and one of it in full beside the list. */
import { useQuery } from '@tanstack/preact-query';
import { useEffect } from 'preact/hooks';
import { useLocation, useParams } from 'wouter-preact';
import type { InboxItem } from '../../../../src/contract/runs.ts';
import { paths, useFilter } from '../../address.ts';
import { type List, lists } from '../../api/routes.ts';
import { useShortcuts } from '../../keys/shortcuts.ts';
import { live } from '../../live/live.ts';
import { queries } from '../../live/queries.ts';
import { keyWords } from '../../strings/common.ts';
import { inboxWords } from '../../strings/inbox.ts';
import { useIsNarrow } from '../../ui/media.ts';
import { useNow } from '../../ui/now.ts';
import { Choice, PageHead } from '../../ui/page.tsx';
import { Empty, ErrorPanel, Loading } from '../../ui/states.tsx';
import { Shape } from '../../ui/status.tsx';
import { visible } from '../../ui/text.ts';
import { ApprovalDetail } from './detail.tsx';

const VIEWS = ['mine', 'pending', 'approved', 'denied', 'expired'] as const;
type View = (typeof VIEWS)[number];
const SHOWN_MAX = 100;
const URGENT_MS = 3_600_000;

export function InboxPage() {
  const { id } = useParams<{ id?: string }>();
  const [, navigate] = useLocation();
  const { filter, set } = useFilter(['view']);
  const isNarrow = useIsNarrow();
  const view = VIEWS.find((one) => one === filter.view) ?? 'mine';
  const { data, error, refetch } = useQuery({
    queryKey: ['inbox', view],
    queryFn: ({ signal }) => lists.approvals({ ...queryOf(view), limit: SHOWN_MAX }, signal),
    ...live('inbox'),
  });
  const items = data?.items ?? [];
  const at = items.findIndex((item) => item.id === id);
  const chosen = items[at];
  const go = (to: InboxItem | undefined) => {
    if (to !== undefined) navigate(addressOf(to, view), { replace: id !== undefined });
  };
  useShortcuts([
    { keys: 'j', what: keyWords.next, act: () => go(items[Math.min(at + 1, items.length - 1)]) },
    { keys: 'k', what: keyWords.previous, act: () => go(items[Math.max(at - 1, 0)]) },
  ]);
  const [first] = items;
  useEffect(() => {
    if (id === undefined && first !== undefined && !isNarrow)
      navigate(addressOf(first, view), { replace: true });
  }, [id, first, isNarrow, view, navigate]);
  return (
    <>
      <PageHead title={inboxWords.title}>
        <Choice
          label={inboxWords.view}
          value={view}
          options={VIEWS.map((value) => ({ value, label: inboxWords.views[value] }))}
          onChoose={(value) =>
            id === undefined
              ? set({ view: value === 'mine' ? '' : value })
              : navigate(listAddress(value))
          }
        />
      </PageHead>
      {error === null ? null : <ErrorPanel error={error} retry={() => void refetch()} />}
      {data === undefined && error === null ? <Loading /> : null}
      {data !== undefined && items.length === 0 && id === undefined ? (
        <Nothing view={view} />
      ) : null}
      {items.length > 0 || (id !== undefined && data !== undefined) ? (
        <div class={id === undefined ? 'inbox' : 'inbox has-choice'}>
          <ul class="inbox-list" aria-label={inboxWords.list}>
            {items.map((item) => (
              <Row key={item.id} item={item} view={view} isChosen={item.id === id} />
            ))}
          </ul>
          <section class="inbox-detail" aria-live="off">
            {chosen === undefined ? (
              id === undefined ? null : (
                <Empty title={inboxWords.gone}>{inboxWords.goneHow}</Empty>
              )
            ) : (
              <ApprovalDetail
                key={chosen.id}
                item={chosen}
                onDecided={() => {
                  forget(chosen);
                  const next = items[at + 1] ?? items[at - 1];
                  if (next === undefined) navigate(listAddress(view), { replace: true });
                  else go(next);
                }}
              />
            )}
          </section>
        </div>
      ) : null}
    </>
  );
}

function Row({ item, view, isChosen }: { item: InboxItem; view: View; isChosen: boolean }) {
  const [, navigate] = useLocation();
  const left = Date.parse(item.expiresAt) - useNow(10_000);
  const given = item.decisions.filter(({ decision }) => decision === 'approved').length;
  const href = addressOf(item, view);
  return (
    <li>
      <a
        href={href}
        aria-current={isChosen ? 'true' : undefined}
        onClick={(event) => {
          event.preventDefault();
          navigate(href);
        }}
      >
        <Shape status={item.status === 'pending' ? 'pending_approval' : item.status} />
        <span class="inbox-what">{visible(item.summary)}</span>
        <span
          class={item.status === 'pending' && left < URGENT_MS ? 'inbox-left urgent' : 'inbox-left'}
        >
          {item.status !== 'pending'
            ? inboxWords.quorum(given, item.required)
            : left > 0
              ? inboxWords.left(left)
              : inboxWords.over}
        </span>
        <span class="inbox-more quiet">
          {visible(item.workflowName)}
          {item.required > 1 ? ` · ${inboxWords.quorum(given, item.required)}` : ''}
        </span>
      </a>
    </li>
  );
}

function Nothing({ view }: { view: View }) {
  return view === 'mine' ? (
    <Empty title={inboxWords.emptyMine}>{inboxWords.emptyMineHow}</Empty>
  ) : (
    <Empty title={inboxWords.empty} />
  );
}

/** What the server took from the caller waits for them no longer; the next answer says so too. */
function forget({ id }: InboxItem): void {
  queries.setQueryData<List<InboxItem>>(['inbox', 'mine'], (known) =>
    known === undefined ? known : { ...known, items: known.items.filter((item) => item.id !== id) },
  );
}

function queryOf(view: View) {
  return view === 'mine' ? { mine: 'true' } : { status: view };
}

function listAddress(view: View): string {
  return view === 'mine' ? paths.inbox : `${paths.inbox}?view=${view}`;
}

function addressOf({ id }: InboxItem, view: View): string {
  return view === 'mine' ? paths.approval(id) : `${paths.approval(id)}?view=${view}`;
}
