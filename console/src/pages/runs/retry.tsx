/** Doing again a run that ended without success: as a new run, by its version or by the current one. */
import { useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import type { Run } from '../../../../src/contract/runs.ts';
import { paths } from '../../address.ts';
import { runs } from '../../api/routes.ts';
import { common } from '../../strings/common.ts';
import { inboxWords } from '../../strings/inbox.ts';
import { runWords } from '../../strings/runs.ts';
import { useAction } from '../../ui/action.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { CheckField, TextField } from '../../ui/field.tsx';
import { ErrorLine } from '../../ui/states.tsx';

export function isRetriable({ status, finishedAt, retriedBy }: Run): boolean {
  return finishedAt !== null && status !== 'succeeded' && retriedBy === null;
}

export function RetryDialog({ runId, onClose }: { runId: string; onClose: () => void }) {
  const [comment, setComment] = useState('');
  const [latest, setLatest] = useState(false);
  const [, navigate] = useLocation();
  const action = useAction();
  const send = () =>
    action.run(async () => {
      const said = comment.trim();
      const answer = await runs.retry({ runId, latest, ...(said === '' ? {} : { comment: said }) });
      onClose();
      navigate(paths.run(answer.run.id));
    });
  return (
    <Dialog title={runWords.retry} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <p>{runWords.retryHow}</p>
        <CheckField label={runWords.retryLatest} checked={latest} onInput={setLatest} />
        <TextField
          label={inboxWords.comment}
          hint={inboxWords.commentHint}
          value={comment}
          onInput={setComment}
          autoFocus
        />
        <ErrorLine error={action.error} />
        <p class="actions">
          <button type="submit" class="button primary" disabled={action.isBusy}>
            {runWords.retry}
          </button>
          <button type="button" class="button" onClick={onClose}>
            {common.cancel}
          </button>
        </p>
      </form>
    </Dialog>
  );
}
