/** One entry: what it says, and how it hangs in the chain. */
import { useQuery } from '@tanstack/preact-query';
import { useEffect, useState } from 'preact/hooks';
import { Link, useLocation, useParams } from 'wouter-preact';
import type { AuditEntry } from '../../../../src/contract/audit.ts';
import { paths, withQuery } from '../../address.ts';
import { one } from '../../api/routes.ts';
import { useCaller } from '../../caller.ts';
import { useShortcuts } from '../../keys/shortcuts.ts';
import { auditWords } from '../../strings/audit.ts';
import { Copyable } from '../../ui/copy.tsx';
import { Json } from '../../ui/json.tsx';
import { Facts, PageHead } from '../../ui/page.tsx';
import { ErrorPanel, Loading } from '../../ui/states.tsx';
import { Shape } from '../../ui/status.tsx';
import { visible } from '../../ui/text.ts';
import { Time } from '../../ui/time.tsx';

export function AuditEntryPage() {
  const { seq = '' } = useParams<{ seq: string }>();
  const number = Number(seq);
  const { data: entry, error } = useEntry(number);
  const { data: before } = useEntry(number - 1, number > 1);
  const { data: after } = useEntry(number + 1);
  const [, navigate] = useLocation();
  useShortcuts([
    {
      keys: 'j',
      what: auditWords.before,
      act: () => (number > 1 ? navigate(paths.auditEntry(number - 1)) : undefined),
    },
    {
      keys: 'k',
      what: auditWords.after,
      act: () => (after === undefined ? undefined : navigate(paths.auditEntry(number + 1))),
    },
  ]);
  if (error !== null) return <ErrorPanel error={error} />;
  if (entry === undefined) return <Loading />;
  return (
    <>
      <PageHead
        title={
          <>
            {entry.action} <span class="quiet">{entry.seq}</span>
          </>
        }
        above={<Link href={paths.audit}>{auditWords.title}</Link>}
      />
      <div class="run-columns">
        <div>
          <h2>{auditWords.data}</h2>
          <Json value={entry.data} what={auditWords.theData} />
          <h2>{auditWords.chain}</h2>
          <p class="quiet">{auditWords.chainHow}</p>
          <Chain entry={entry} before={before} after={after} />
        </div>
        <aside>
          <EntryFacts entry={entry} />
          <PrivateParts entry={entry} />
        </aside>
      </div>
    </>
  );
}

function useEntry(seq: number, isWanted = true) {
  return useQuery({
    queryKey: ['audit', 'entry', seq],
    queryFn: () => one.auditEntry(seq),
    enabled: isWanted && Number.isInteger(seq) && seq > 0,
    staleTime: 60_000,
    retry: false,
  });
}

function EntryFacts({ entry }: { entry: AuditEntry }) {
  const { facts } = auditWords;
  const { actor, target } = entry;
  const href = addressOf(target);
  return (
    <Facts
      facts={[
        [
          facts.at,
          <Copyable key="t" text={entry.at} what={facts.at}>
            <Time at={entry.at} />
          </Copyable>,
        ],
        [
          facts.actor,
          <Copyable key="w" text={actor.id} what={facts.actor}>
            <Link href={withQuery(paths.audit, { actor: actor.id })}>{visible(actor.name)}</Link>
          </Copyable>,
        ],
        [
          facts.target,
          <Copyable key="o" text={target.id} what={facts.target}>
            {href === null ? (
              <span class="mono">{visible(target.id)}</span>
            ) : (
              <Link href={href}>
                {target.type} <span class="mono">{visible(target.id)}</span>
              </Link>
            )}
          </Copyable>,
        ],
        [facts.id, <Copyable key="i" text={entry.id} what={facts.id} />],
        [facts.request, <Copyable key="r" text={entry.requestId} what={facts.request} />],
      ]}
    />
  );
}

/** The page that shows what an entry is about. */
function addressOf({ type, id }: AuditEntry['target']): string | null {
  if (type === 'run') return paths.run(id);
  if (type === 'workflow') return paths.workflow(id);
  if (type === 'event') return paths.event(id);
  return null;
}

/** Its neighbours and the hashes between them: what each holds of the one before it. */
function Chain({
  entry,
  before,
  after,
}: {
  entry: AuditEntry;
  before: AuditEntry | undefined;
  after: AuditEntry | undefined;
}) {
  const { tenant } = useCaller();
  const [fits, setFits] = useState<boolean | null>(null);
  useEffect(() => {
    let isLatest = true;
    void import('./verifier.ts').then(({ entryFits }) => {
      if (isLatest) setFits(entryFits(tenant.id, entry));
    });
    return () => {
      isLatest = false;
    };
  }, [tenant.id, entry]);
  return (
    <ol class="chain">
      <li>
        {before === undefined ? (
          <span class="quiet">{entry.seq === 1 ? auditWords.begin : ''}</span>
        ) : (
          <Neighbour entry={before} label={auditWords.before} />
        )}
        <Hash name={auditWords.previousHash} hash={entry.prevHash} />
      </li>
      <li class="this">
        <strong>
          {entry.seq} {entry.action}
        </strong>
        <Hash name={auditWords.hash} hash={entry.hash} />
        <p class="outcome">
          {fits === null ? null : <Shape status={fits ? 'succeeded' : 'failed'} />}
          <span>
            {auditWords.checkEntry}{' '}
            <strong>{fits === null ? '' : fits ? auditWords.fits : auditWords.fitsNot}</strong>
          </span>
        </p>
      </li>
      <li>
        {after === undefined ? (
          <span class="quiet">{auditWords.head}</span>
        ) : (
          <Neighbour entry={after} label={auditWords.after} />
        )}
      </li>
    </ol>
  );
}

function Neighbour({ entry, label }: { entry: AuditEntry; label: string }) {
  return (
    <Link href={paths.auditEntry(entry.seq)}>
      {label}: {entry.seq} {entry.action}
    </Link>
  );
}

function Hash({ name, hash }: { name: string; hash: string }) {
  return (
    <p class="hash">
      <span class="quiet">{name}</span>{' '}
      <Copyable text={hash} what={auditWords.theHash}>
        <span class="mono">{hash}</span>
      </Copyable>
    </p>
  );
}

function PrivateParts({ entry }: { entry: AuditEntry }) {
  const parts = Object.entries(entry.private ?? {});
  if (parts.length === 0) return null;
  return (
    <>
      <h3>{auditWords.privateParts}</h3>
      <ul>
        {parts.map(([path, { salt }]) => (
          <li key={path}>
            <span class="mono">{path}</span>{' '}
            <span class="quiet">{salt === undefined ? auditWords.erased : auditWords.whole}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
