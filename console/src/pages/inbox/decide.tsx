/** Saying yes, no or otherwise: what is sent carries the hash of the inputs that were shown. */
import { useState } from 'preact/hooks';
import type { JsonObject } from '../../../../src/contract/json.ts';
import type { InboxItem } from '../../../../src/contract/runs.ts';
import { runs } from '../../api/routes.ts';
import { ActionInput } from '../../editor/action-input.tsx';
import { common } from '../../strings/common.ts';
import { inboxWords } from '../../strings/inbox.ts';
import { useAction } from '../../ui/action.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { isJsonObject } from '../../ui/json-kind.ts';
import { ErrorLine } from '../../ui/states.tsx';
import { visible } from '../../ui/text.ts';

export type Intent = 'approve' | 'deny' | 'edit' | 'override' | 'happened' | 'retry';

const TITLES: Readonly<Record<Intent, string>> = {
  approve: inboxWords.approve,
  deny: inboxWords.deny,
  edit: inboxWords.edit,
  override: inboxWords.override,
  happened: inboxWords.happened,
  retry: inboxWords.retry,
};
const HOW: Readonly<Partial<Record<Intent, string>>> = {
  edit: inboxWords.editHow,
  override: inboxWords.overrideHow,
};

export function DecisionDialog({
  item,
  intent,
  onClose,
  onDone,
}: {
  item: InboxItem;
  intent: Intent;
  onClose: () => void;
  onDone: () => void;
}) {
  const [comment, setComment] = useState('');
  const [whose, setWhose] = useState(item.onBehalfOf?.[0]?.id ?? '');
  const [input, setInput] = useState<JsonObject>(isJsonObject(item.input) ? item.input : {});
  const action = useAction();
  const needsReason = intent === 'deny' || intent === 'override' || item.reasonRequired;
  const lent = item.onBehalfOf ?? [];
  const send = async () => {
    const said = comment.trim();
    const claim = {
      runId: item.runId,
      approvalId: item.id,
      inputHash: item.inputHash,
      ...(said === '' ? {} : { comment: said }),
    };
    const vote = { ...claim, ...(whose === '' ? {} : { onBehalfOf: whose }) };
    if (await action.run(() => asked(intent, claim, vote, input))) onDone();
  };
  return (
    <Dialog title={TITLES[intent]} onClose={onClose} isWide={intent === 'edit'}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <p class="decide-what">
          <bdi>{visible(item.summary)}</bdi>
        </p>
        {HOW[intent] === undefined ? null : <p class="quiet">{HOW[intent]}</p>}
        {intent === 'edit' ? (
          <ActionInput
            action={item.action}
            value={input}
            onInput={setInput}
            faults={action.error}
          />
        ) : null}
        {lent.length > 0 && intent !== 'edit' && intent !== 'override' ? (
          <SelectField
            label={inboxWords.inPlaceOf}
            value={whose}
            onInput={setWhose}
            options={lent.map(({ id, name }) => ({ value: id, label: name }))}
          />
        ) : null}
        <TextField
          label={needsReason ? inboxWords.reason : inboxWords.comment}
          hint={needsReason ? inboxWords.reasonHint : inboxWords.commentHint}
          value={comment}
          onInput={setComment}
          required={needsReason}
          autoFocus
        />
        <ErrorLine error={action.error} />
        <p class="actions">
          <button
            type="submit"
            class={
              intent === 'deny' || intent === 'override' ? 'button primary stop' : 'button primary'
            }
            disabled={action.isBusy}
          >
            {TITLES[intent]}
          </button>
          <button type="button" class="button" onClick={onClose}>
            {common.cancel}
          </button>
        </p>
      </form>
    </Dialog>
  );
}

function asked(
  intent: Intent,
  claim: Parameters<typeof runs.override>[0],
  vote: Parameters<typeof runs.deny>[0],
  input: JsonObject,
): Promise<unknown> {
  switch (intent) {
    case 'approve':
      return runs.approve(vote);
    case 'happened':
    case 'retry':
      return runs.approve({ ...vote, resolution: intent });
    case 'deny':
      return runs.deny(vote);
    case 'edit':
      return runs.edit({ ...claim, input });
    case 'override':
      return runs.override(claim);
  }
}
