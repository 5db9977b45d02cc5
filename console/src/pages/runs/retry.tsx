/** Doing again a run that ended without success: as a new run, by its version or by the current one. */
import { useState } from 'preact/hooks';
import { useLocation } from 'wouter-preact';
import type { Run } from '../../../../src/contract/runs.ts';
import { paths } from '../../address.ts';
import { runs } from '../../api/routes.ts';
import { inboxWords } from '../../strings/inbox.ts';
import { runWords } from '../../strings/runs.ts';
import { Ask } from '../../ui/ask.tsx';
import { CheckField, TextField } from '../../ui/field.tsx';

export function isRetriable({ status, finishedAt, retriedBy }: Run): boolean {
  return finishedAt !== null && status !== 'succeeded' && retriedBy === null;
}

export function RetryDialog({ runId, onClose }: { runId: string; onClose: () => void }) {
  const [comment, setComment] = useState('');
  const [latest, setLatest] = useState(false);
  const [, navigate] = useLocation();
  const retry = async () => {
    const said = comment.trim();
    const answer = await runs.retry({ runId, latest, ...(said === '' ? {} : { comment: said }) });
    navigate(paths.run(answer.run.id));
  };
  return (
    <Ask title={runWords.retry} verb={runWords.retry} onDo={retry} onClose={onClose}>
      <p>{runWords.retryHow}</p>
      <CheckField label={runWords.retryLatest} checked={latest} onInput={setLatest} />
      <TextField
        label={inboxWords.comment}
        hint={inboxWords.commentHint}
        value={comment}
        onInput={setComment}
        autoFocus
      />
    </Ask>
  );
}
