/** Cancelling a run: asked once more, with room for why. */
import { useState } from 'preact/hooks';
import { runs } from '../../api/routes.ts';
import { inboxWords } from '../../strings/inbox.ts';
import { runWords } from '../../strings/runs.ts';
import { Ask } from '../../ui/ask.tsx';
import { TextField } from '../../ui/field.tsx';

export function CancelDialog({ runId, onClose }: { runId: string; onClose: () => void }) {
  const [comment, setComment] = useState('');
  const said = comment.trim();
  return (
    <Ask
      title={runWords.cancel}
      verb={runWords.cancel}
      keep={runWords.keep}
      isStop
      onDo={() => runs.cancel(runId, said === '' ? undefined : said)}
      onClose={onClose}
    >
      <p>{runWords.cancelHow}</p>
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
