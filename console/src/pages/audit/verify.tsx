/** Verifying, before one's eyes: how far it is, and what it found. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { lists, one } from '../../api/routes.ts';
import { useCaller } from '../../caller.ts';
import { auditWords } from '../../strings/audit.ts';
import { Copyable } from '../../ui/copy.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Facts } from '../../ui/page.tsx';
import { ErrorLine } from '../../ui/states.tsx';
import { Shape } from '../../ui/status.tsx';
import { timeText } from '../../ui/text.ts';
import type { Verdict } from './verifier.ts';

const PAGE = 200;

interface Found {
  readonly verdict: Verdict;
  /** Null: none was signed yet. */
  readonly checkpoint: {
    readonly size: number;
    readonly at: string;
    readonly fault: string | null;
  } | null;
}

export function VerifyDialog({ onClose }: { onClose: () => void }) {
  const { tenant } = useCaller();
  const [progress, setProgress] = useState<{ done: number; all: number } | null>(null);
  const [found, setFound] = useState<Found | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const stopped = useRef(false);
  useEffect(
    () => () => {
      stopped.current = true;
    },
    [],
  );
  const begin = async () => {
    stopped.current = false;
    setFound(null);
    setError(null);
    setProgress({ done: 0, all: 0 });
    try {
      setFound(
        await verify(tenant.id, (done, all) => {
          setProgress({ done, all });
          return !stopped.current;
        }),
      );
    } catch (failure) {
      setError(failure instanceof Error ? failure : new Error(String(failure)));
    }
    setProgress(null);
  };
  const isBusy = progress !== null;
  return (
    <Dialog title={auditWords.verifyTitle} onClose={onClose}>
      <p>{auditWords.verifyHow}</p>
      <div class="verify" role="status">
        {isBusy ? (
          <>
            <progress
              max={Math.max(1, progress.all)}
              value={progress.done}
              aria-label={auditWords.verify}
            />
            <p>{auditWords.verifying(progress.done, progress.all)}</p>
          </>
        ) : null}
        {found === null ? null : <Outcome found={found} />}
      </div>
      <ErrorLine error={error} />
      <p class="actions">
        {isBusy ? (
          <button
            type="button"
            class="button"
            onClick={() => {
              stopped.current = true;
            }}
          >
            {auditWords.verifyStop}
          </button>
        ) : (
          <button type="button" class="button primary" onClick={() => void begin()}>
            {found === null ? auditWords.verifyStart : auditWords.verifyAgain}
          </button>
        )}
      </p>
    </Dialog>
  );
}

function Outcome({ found: { verdict, checkpoint } }: { found: Found }) {
  if (!verdict.ok)
    return (
      <p class="outcome">
        <Shape status="failed" />
        <span>
          <strong>{auditWords.notVerified}:</strong> {verdict.reason}.
        </span>
      </p>
    );
  return (
    <>
      <p class="outcome">
        <Shape status="succeeded" />
        <strong>{auditWords.verified(verdict.entries)}</strong>
      </p>
      <p>{auditWords.verifiedParts(verdict.parts.whole, verdict.parts.erased)}</p>
      {checkpoint === null ? (
        <p class="quiet">{auditWords.checkpointNone}</p>
      ) : checkpoint.fault === null ? (
        <>
          <p class="outcome">
            <Shape status="succeeded" />
            {auditWords.checkpointGood(checkpoint.size, timeText(checkpoint.at))}
          </p>
          <p class="quiet">{auditWords.checkpointKeys}</p>
        </>
      ) : (
        <p class="outcome">
          <Shape status="failed" />
          <span>
            <strong>{auditWords.checkpointBad}:</strong> {checkpoint.fault}.
          </span>
        </p>
      )}
      <Facts
        facts={[
          [auditWords.headIs, <Copyable key="h" text={verdict.head} what={auditWords.theHash} />],
        ]}
      />
    </>
  );
}

/** Null when it was stopped. The engine comes with this alone, so it is loaded here. */
async function verify(
  tenantId: string,
  hear: (done: number, all: number) => boolean,
): Promise<Found | null> {
  const { verifyPages, checkpointFault } = await import('./verifier.ts');
  const [newest] = (await lists.checkpoints({ limit: 1 })).items;
  const wanted = new Set(newest === undefined ? [] : [newest.size]);
  const source = { page: (cursor: string | null) => lists.audit({ limit: PAGE, cursor }) };
  const verdict = await verifyPages(tenantId, source, wanted, hear);
  if (verdict === null) return null;
  if (!verdict.ok || newest === undefined) return { verdict, checkpoint: null };
  const { keys } = await one.auditKeys();
  const fault = await checkpointFault(
    tenantId,
    newest,
    keys,
    verdict.hashes.get(newest.size),
    (size) => one.auditProof(size, size),
  );
  return { verdict, checkpoint: { size: newest.size, at: newest.at, fault } };
}
