/** Cancelling a run: asked once more, with room for why. */
import { useState } from 'preact/hooks';
import { runs } from '../../api/routes.ts';
import { inboxWords } from '../../strings/inbox.ts';
import { runWords } from '../../strings/runs.ts';
import { useAction } from '../../ui/action.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/field.tsx';
import { ErrorLine } from '../../ui/states.tsx';

export function CancelDialog({ runId, onClose }: { runId: string; onClose: () => void }) {
  const [comment, setComment] = useState('');
  const action = useAction();
  const send = async () => {
    const said = comment.trim();
    if (await action.run(() => runs.cancel(runId, said === '' ? undefined : said))) onClose();
  };
  return (
    <Dialog title={runWords.cancel} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <p>{runWords.cancelHow}</p>
        <TextField
          label={inboxWords.comment}
          hint={inboxWords.commentHint}
          value={comment}
          onInput={setComment}
          autoFocus
        />
        <ErrorLine error={action.error} />
        <p class="actions">
          <button type="submit" class="button primary stop" disabled={action.isBusy}>
            {runWords.cancel}
          </button>
          <button type="button" class="button" onClick={onClose}>
            {runWords.keep}
          </button>
        </p>
      </form>
    </Dialog>
  );
}
