/** One approval with all that a person needs to decide it. */
import { useEffect, useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import type { InboxItem } from '../../../../src/contract/runs.ts';
import { paths } from '../../address.ts';
import { runs } from '../../api/routes.ts';
import { useCaller, useMayDecide } from '../../caller.ts';
import { useShortcuts } from '../../keys/shortcuts.ts';
import { inboxWords } from '../../strings/inbox.ts';
import { Copyable } from '../../ui/copy.tsx';
import { Json } from '../../ui/json.tsx';
import { useNow } from '../../ui/now.ts';
import { Facts } from '../../ui/page.tsx';
import { Status } from '../../ui/status.tsx';
import { visible } from '../../ui/text.ts';
import { Time } from '../../ui/time.tsx';
import { DecisionDialog, type Intent } from './decide.tsx';

/** Whoever has had it on the screen for so long has looked at it. */
const LOOKED_MS = 1_500;

export function ApprovalDetail({ item, onDecided }: { item: InboxItem; onDecided: () => void }) {
  const [intent, setIntent] = useState<Intent | null>(null);
  const mayDecide = useMayDecide();
  const isAdmin = useCaller().role === 'admin';
  const isOpen = item.status === 'pending' && mayDecide;
  const isResolve = item.kind === 'resolve';
  useLooked(item, isOpen && item.onBehalfOf !== undefined);
  const ask = (next: Intent) => () => {
    if (isOpen) setIntent(next);
  };
  useShortcuts([
    {
      keys: 'a',
      what: isResolve ? inboxWords.happened : inboxWords.approve,
      act: ask(isResolve ? 'happened' : 'approve'),
    },
    { keys: 'd', what: isResolve ? inboxWords.giveUp : inboxWords.deny, act: ask('deny') },
    ...(isResolve
      ? [{ keys: 'r', what: inboxWords.retry, act: ask('retry') }]
      : [{ keys: 'e', what: inboxWords.edit, act: ask('edit') }]),
  ]);
  return (
    <article class="approval">
      <header>
        <p class="approval-state">
          <Status status={item.status === 'pending' ? 'pending_approval' : item.status} />
          {item.status === 'pending' ? <TimeLeft until={item.expiresAt} /> : null}
        </p>
        <h2>
          <bdi>{visible(item.summary)}</bdi>
        </h2>
        {isResolve ? (
          <p class="notice">
            <strong>{inboxWords.resolveTitle}</strong> {item.error?.message} {inboxWords.resolve}
          </p>
        ) : null}
      </header>
      {isOpen ? (
        <div class="decide">
          {isResolve ? (
            <>
              <Do keys="a" label={inboxWords.happened} onDo={ask('happened')} isFirst />
              <Do keys="r" label={inboxWords.retry} onDo={ask('retry')} />
              <Do keys="d" label={inboxWords.giveUp} onDo={ask('deny')} isStop />
            </>
          ) : (
            <>
              <Do keys="a" label={inboxWords.approve} onDo={ask('approve')} isFirst />
              <Do keys="d" label={inboxWords.deny} onDo={ask('deny')} isStop />
              <Do keys="e" label={inboxWords.edit} onDo={ask('edit')} />
              {isAdmin ? (
                <button type="button" class="link" onClick={ask('override')}>
                  {inboxWords.override}
                </button>
              ) : null}
            </>
          )}
        </div>
      ) : null}
      {item.status === 'pending' && !mayDecide ? <p class="quiet">{inboxWords.mayNot}</p> : null}
      <h3>{inboxWords.inputs}</h3>
      <Json value={item.input} what={inboxWords.theInputs} />
      <h3>{inboxWords.why}</h3>
      <p>{whyOf(item)}</p>
      {item.escalated ? <p>{inboxWords.escalated}</p> : null}
      {item.edits > 0 ? <p>{inboxWords.edits(item.edits)}</p> : null}
      <h3>
        {inboxWords.decisions} <span class="quiet">{quorumOf(item)}</span>
      </h3>
      <Decisions item={item} />
      <Facts
        facts={[
          [
            inboxWords.workflow,
            <span key="w">
              <Link href={paths.workflow(item.workflowId)}>{visible(item.workflowName)}</Link>,{' '}
              {inboxWords.version(item.workflowVersion)}
            </span>,
          ],
          [inboxWords.event, item.eventType],
          [inboxWords.asked, <Time key="t" at={item.requestedAt} />],
          [inboxWords.until, <Time key="u" at={item.expiresAt} />],
          [inboxWords.hash, <Copyable key="h" text={item.inputHash} what={inboxWords.theHash} />],
        ]}
      />
      <p>
        <Link href={paths.run(item.runId)}>{inboxWords.toRun}</Link>
      </p>
      {intent === null ? null : (
        <DecisionDialog
          item={item}
          intent={intent}
          onClose={() => setIntent(null)}
          onDone={() => {
            setIntent(null);
            if (intent !== 'edit') onDecided();
          }}
        />
      )}
    </article>
  );
}

function Do({
  keys,
  label,
  onDo,
  isFirst = false,
  isStop = false,
}: {
  keys: string;
  label: string;
  onDo: () => void;
  isFirst?: boolean;
  isStop?: boolean;
}) {
  return (
    <button
      type="button"
      class={`button${isFirst ? ' primary' : ''}${isStop ? ' stop' : ''}`}
      aria-keyshortcuts={keys}
      onClick={onDo}
    >
      {label}{' '}
      <span aria-hidden="true">
        <kbd>{keys}</kbd>
      </span>
    </button>
  );
}

function TimeLeft({ until }: { until: string }) {
  const left = Date.parse(until) - useNow();
  return <span class="quiet">{left > 0 ? inboxWords.left(left) : inboxWords.over}</span>;
}

function Decisions({ item }: { item: InboxItem }) {
  if (item.decisions.length === 0) return <p class="quiet">{inboxWords.noDecisions}</p>;
  return (
    <ul class="decisions">
      {item.decisions.map(({ actor, onBehalfOf, decision, comment, at }) => (
        <li key={`${actor.id} ${at}`}>
          <Status status={decision} /> {visible(actor.name)}{' '}
          {onBehalfOf === undefined ? '' : inboxWords.forMember(visible(onBehalfOf.name))}{' '}
          <span class="quiet">
            <Time at={at} />
          </span>
          {comment === null ? null : <blockquote>{visible(comment)}</blockquote>}
        </li>
      ))}
    </ul>
  );
}

function quorumOf({ decisions, required }: InboxItem): string {
  const given = decisions.filter(({ decision }) => decision === 'approved').length;
  return inboxWords.quorum(given, required);
}

function whyOf({ action, required, roles, members }: InboxItem): string {
  return inboxWords.rule(
    action,
    inboxWords.people(required),
    inboxWords.who(roles, members.length),
  );
}

/** The audit trail tells who has looked, once for each person; a refusal of that concerns nobody. */
function useLooked({ runId, id }: InboxItem, isMine: boolean): void {
  useEffect(() => {
    if (!isMine) return;
    const timer = setTimeout(() => void runs.noteView(runId, id).catch(() => {}), LOOKED_MS);
    return () => clearTimeout(timer);
  }, [runId, id, isMine]);
}
