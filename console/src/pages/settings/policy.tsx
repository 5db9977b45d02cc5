/** The approval policy: what each action needs before it may run, and how much is free of it. */
import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import type { ActionPolicy } from '../../../../src/contract/approvals.ts';
import { one, type Policy, settings } from '../../api/routes.ts';
import { useIsAdmin } from '../../caller.ts';
import { live } from '../../live/live.ts';
import { common } from '../../strings/common.ts';
import { inboxWords } from '../../strings/inbox.ts';
import { policyWords } from '../../strings/settings.ts';
import { useAction } from '../../ui/action.ts';
import { TextField } from '../../ui/field.tsx';
import { ErrorLine, ErrorPanel, Loading } from '../../ui/states.tsx';
import { Shape } from '../../ui/status.tsx';
import { PolicyForm } from './policy-form.tsx';

export function PolicyPart() {
  const { data, error, refetch } = useQuery({
    queryKey: ['settings', 'policy'],
    queryFn: one.policy,
    ...live('slow'),
  });
  if (error !== null && data === undefined)
    return <ErrorPanel error={error} retry={() => void refetch()} />;
  return data === undefined ? <Loading /> : <PolicyView policy={data} />;
}

function PolicyView({ policy }: { policy: Policy }) {
  const isAdmin = useIsAdmin();
  const [changing, setChanging] = useState<string | null>(null);
  const changed = changing === null ? undefined : policy.actions[changing];
  const { columns } = policyWords;
  return (
    <>
      <p class="part-how">{policyWords.how}</p>
      <table class="plain-table" aria-label={policyWords.how}>
        <thead>
          <tr>
            <th scope="col">{columns.action}</th>
            <th scope="col">{columns.rule}</th>
            <th scope="col" class="wide-only">
              {columns.expires}
            </th>
            <th scope="col" class="wide-only">
              {columns.budget}
            </th>
            <td />
          </tr>
        </thead>
        <tbody>
          {Object.entries(policy.actions).map(([name, rule]) => (
            <tr key={name}>
              <td class="mono col-main">{name}</td>
              <td>
                <Shape status={rule.required ? 'pending_approval' : 'skipped'} /> {ruleText(rule)}
              </td>
              <td class="wide-only">{rule.required ? rule.expiresIn : ''}</td>
              <td class="wide-only">{budgetText(rule)}</td>
              <td class="row-action">
                {isAdmin ? (
                  <button
                    type="button"
                    class="link"
                    aria-label={policyWords.changeTitle(name)}
                    onClick={() => setChanging(name)}
                  >
                    {policyWords.change}
                  </button>
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Notify policy={policy} isAdmin={isAdmin} />
      {changing === null || changed === undefined ? null : (
        <PolicyForm action={changing} rule={changed} onClose={() => setChanging(null)} />
      )}
    </>
  );
}

function ruleText({ required, approvals, roles, members, when }: ActionPolicy): string {
  const who = inboxWords.who(roles, members.length);
  const rule = required ? `${policyWords.people(approvals)} ${who}` : policyWords.nobody;
  return when.length === 0 ? rule : `${rule}; ${policyWords.conditions(when.length)}`;
}

function budgetText({ budget }: ActionPolicy): string {
  if (budget === null) return '';
  const { count, amount, window } = budget;
  const parts = [
    ...(count === undefined ? [] : [`${count} ×`]),
    ...(amount === undefined ? [] : [`${amount.amount} ${amount.currency}`]),
  ];
  return `${parts.join(', ')} ${policyWords.within(window)}`;
}

function Notify({ policy, isAdmin }: { policy: Policy; isAdmin: boolean }) {
  const [url, setUrl] = useState(policy.notifyUrl ?? '');
  const action = useAction();
  const save = () =>
    action.run(() => settings.updatePolicy({ notifyUrl: url.trim() === '' ? null : url.trim() }));
  return (
    <form
      class="notify"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <TextField
        label={policyWords.notify}
        hint={policyWords.notifyHint}
        type="url"
        value={url}
        onInput={setUrl}
      />
      {isAdmin ? (
        <button
          type="submit"
          class="button"
          disabled={action.isBusy || url === (policy.notifyUrl ?? '')}
        >
          {common.save}
        </button>
      ) : null}
      <ErrorLine error={action.error} />
    </form>
  );
}
