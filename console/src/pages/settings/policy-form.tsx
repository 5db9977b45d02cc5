/** One action's rule. What is sent is what differs from how it was. */
import { useState } from 'preact/hooks';
import type { ActionPolicy, RuleChanges } from '../../../../src/contract/approvals.ts';
import { settings } from '../../api/routes.ts';
import { policyWords } from '../../strings/settings.ts';
import { useAction } from '../../ui/action.ts';
import { Ask } from '../../ui/ask.tsx';
import { CheckField, Field, SelectField, TextField } from '../../ui/field.tsx';
import { ErrorLine } from '../../ui/states.tsx';

interface Draft {
  readonly required: boolean;
  readonly approvals: string;
  readonly role: 'approver' | 'admin';
  readonly expiresIn: string;
  readonly remindEvery: string;
  readonly selfApproval: boolean;
  readonly reasonRequired: boolean;
  readonly breakGlass: boolean;
  readonly edit: ActionPolicy['edit'];
  readonly count: string;
  readonly amount: string;
  readonly currency: string;
  readonly window: string;
  readonly when: string;
}

const EDITORS = ['nobody', 'approver', 'admin'] as const;

export function PolicyForm({
  action,
  rule,
  onClose,
}: {
  action: string;
  rule: ActionPolicy;
  onClose: () => void;
}) {
  const [draft, setDraft] = useState(() => draftOf(rule));
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change });
  const reset = useAction();
  const send = (change: RuleChanges[string]) =>
    settings.updatePolicy({ actions: { [action]: change } });
  return (
    <Ask
      title={policyWords.changeTitle(action)}
      verb={policyWords.change}
      onDo={async () => await send(ruleOf(draft))}
      onClose={onClose}
    >
      <CheckField
        label={policyWords.required}
        checked={draft.required}
        onInput={(required) => set({ required })}
      />
      <div class="two">
        <TextField
          label={policyWords.approvals}
          type="number"
          value={draft.approvals}
          onInput={(approvals) => set({ approvals })}
        />
        <SelectField
          label={policyWords.roles}
          value={draft.role}
          options={[
            { value: 'approver', label: policyWords.roleApprover },
            { value: 'admin', label: policyWords.roleAdmin },
          ]}
          onInput={(role) => set({ role: role === 'admin' ? 'admin' : 'approver' })}
        />
        <TextField
          label={policyWords.expiresIn}
          hint={policyWords.expiresHint}
          value={draft.expiresIn}
          onInput={(expiresIn) => set({ expiresIn })}
        />
        <TextField
          label={policyWords.remindEvery}
          hint={policyWords.remindHint}
          value={draft.remindEvery}
          onInput={(remindEvery) => set({ remindEvery })}
        />
        <SelectField
          label={policyWords.edit}
          value={draft.edit}
          options={EDITORS.map((value) => ({ value, label: policyWords.editBy[value] }))}
          onInput={(value) => set({ edit: EDITORS.find((one) => one === value) ?? 'admin' })}
        />
      </div>
      <CheckField
        label={policyWords.selfApproval}
        checked={draft.selfApproval}
        onInput={(selfApproval) => set({ selfApproval })}
      />
      <CheckField
        label={policyWords.reasonRequired}
        checked={draft.reasonRequired}
        onInput={(reasonRequired) => set({ reasonRequired })}
      />
      <CheckField
        label={policyWords.breakGlass}
        checked={draft.breakGlass}
        onInput={(breakGlass) => set({ breakGlass })}
      />
      <fieldset class="nested">
        <legend>{policyWords.budget}</legend>
        <p class="hint">{policyWords.budgetHint}</p>
        <div class="two">
          <TextField
            label={policyWords.budgetCount}
            type="number"
            value={draft.count}
            onInput={(count) => set({ count })}
          />
          <TextField
            label={policyWords.budgetWindow}
            value={draft.window}
            onInput={(window) => set({ window })}
          />
          <TextField
            label={policyWords.budgetAmount}
            type="number"
            value={draft.amount}
            onInput={(amount) => set({ amount })}
          />
          <TextField
            label={policyWords.budgetCurrency}
            value={draft.currency}
            onInput={(currency) => set({ currency })}
          />
        </div>
      </fieldset>
      <Field label={policyWords.when} hint={policyWords.whenHint}>
        {(ids) => (
          <textarea
            {...ids}
            class="mono"
            rows={4}
            spellcheck={false}
            value={draft.when}
            onInput={({ currentTarget }) => set({ when: currentTarget.value })}
          />
        )}
      </Field>
      <p>
        <button
          type="button"
          class="link"
          disabled={reset.isBusy}
          onClick={async () => {
            if (await reset.run(() => send(null))) onClose();
          }}
        >
          {policyWords.toDefault}
        </button>
      </p>
      <ErrorLine error={reset.error} />
    </Ask>
  );
}

function draftOf(rule: ActionPolicy): Draft {
  const { budget } = rule;
  return {
    required: rule.required,
    approvals: String(rule.approvals),
    role: rule.roles.includes('approver') ? 'approver' : 'admin',
    expiresIn: rule.expiresIn,
    remindEvery: rule.remindEvery ?? '',
    selfApproval: rule.selfApproval,
    reasonRequired: rule.reasonRequired,
    breakGlass: rule.breakGlass,
    edit: rule.edit,
    count: budget?.count === undefined ? '' : String(budget.count),
    amount: budget?.amount === undefined ? '' : String(budget.amount.amount),
    currency: budget?.amount?.currency ?? '',
    window: budget?.window ?? '',
    when: rule.when.length === 0 ? '' : JSON.stringify(rule.when, null, 2),
  };
}

/** Throws SyntaxError for conditions that are no JSON: it is shown where the form is. */
function ruleOf(draft: Draft): RuleChanges[string] {
  return {
    required: draft.required,
    approvals: Number(draft.approvals),
    roles: [draft.role],
    expiresIn: draft.expiresIn.trim(),
    remindEvery: draft.remindEvery.trim() === '' ? null : draft.remindEvery.trim(),
    selfApproval: draft.selfApproval,
    reasonRequired: draft.reasonRequired,
    breakGlass: draft.breakGlass,
    edit: draft.edit,
    when: draft.when.trim() === '' ? [] : JSON.parse(draft.when),
    budget: budgetOf(draft),
  };
}

function budgetOf({ count, amount, currency, window }: Draft): ActionPolicy['budget'] {
  if (count === '' && amount === '') return null;
  return {
    ...(count === '' ? {} : { count: Number(count) }),
    ...(amount === ''
      ? {}
      : { amount: { amount: Number(amount), currency: currency.trim().toUpperCase() } }),
    window: window.trim(),
  };
}
