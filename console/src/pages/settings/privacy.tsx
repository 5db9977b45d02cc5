/** Erasing a person who asks for it. It looks through so much at a time, and goes on by itself. */
import { useState } from 'preact/hooks';
import { type Erasure, lists, settings } from '../../api/routes.ts';
import { privacyWords } from '../../strings/settings.ts';
import { useAction } from '../../ui/action.ts';
import { Copyable } from '../../ui/copy.tsx';
import { CheckField, SelectField, TextField } from '../../ui/field.tsx';
import { Choice, Facts } from '../../ui/page.tsx';
import { ErrorLine } from '../../ui/states.tsx';
import { countText, visible } from '../../ui/text.ts';
import { useSettingList } from './list-query.tsx';

export function PrivacyPart() {
  const [kind, setKind] = useState<'customer' | 'member'>('customer');
  const [id, setId] = useState('');
  const [email, setEmail] = useState('');
  const [name, setName] = useState('');
  const [memberId, setMemberId] = useState('');
  const [reason, setReason] = useState('');
  const [isSure, setIsSure] = useState(false);
  const [done, setDone] = useState<Erasure | null>(null);
  const action = useAction();
  const removed = (useSettingList('members', lists.members).data?.items ?? []).filter(
    ({ removedAt }) => removedAt !== null,
  );
  const subject = kind === 'member' ? { memberId } : { customer: given({ id, email, name }) };
  const erase = () =>
    action.run(async () => {
      setDone(await eraseAll({ ...subject, reason }));
      setIsSure(false);
    });
  return (
    <form
      class="privacy"
      onSubmit={(event) => {
        event.preventDefault();
        void erase();
      }}
    >
      <p class="part-how">{privacyWords.how}</p>
      <Choice
        label={privacyWords.kind}
        value={kind}
        options={[
          { value: 'customer', label: privacyWords.customer },
          { value: 'member', label: privacyWords.member },
        ]}
        onChoose={setKind}
      />
      {kind === 'member' ? (
        <SelectField
          label={privacyWords.member}
          value={memberId}
          options={[
            { value: '', label: '' },
            ...removed.map((one) => ({ value: one.id, label: `${one.name} ${one.email}` })),
          ]}
          onInput={setMemberId}
        />
      ) : (
        <>
          <TextField label={privacyWords.id} value={id} onInput={setId} />
          <TextField label={privacyWords.email} type="email" value={email} onInput={setEmail} />
          <TextField
            label={privacyWords.name}
            hint={privacyWords.nameHint}
            value={name}
            onInput={setName}
          />
        </>
      )}
      <TextField
        label={privacyWords.reason}
        hint={privacyWords.reasonHint}
        value={reason}
        onInput={setReason}
        required
      />
      <CheckField label={privacyWords.confirm} checked={isSure} onInput={setIsSure} />
      <ErrorLine error={action.error} />
      <p>
        <button type="submit" class="button primary stop" disabled={!isSure || action.isBusy}>
          {action.isBusy ? privacyWords.working : privacyWords.erase}
        </button>
      </p>
      <div role="status">{done === null ? null : <Outcome done={done} />}</div>
    </form>
  );
}

function Outcome({ done }: { done: Erasure }) {
  const words = new Map(Object.entries<string>(privacyWords.counts));
  const counts = Object.entries(done.erased).filter(([, count]) => count > 0);
  return (
    <section>
      <h2>{privacyWords.done}</h2>
      <Facts
        facts={[
          [
            privacyWords.subject,
            <Copyable key="s" text={done.subject} what={privacyWords.subject} />,
          ],
          [
            privacyWords.erased,
            counts.length === 0
              ? '–'
              : counts
                  .map(([name, count]) => `${countText(count)} ${words.get(name) ?? name}`)
                  .join(', '),
          ],
        ]}
      />
      <h3>{privacyWords.remaining}</h3>
      {done.remaining.length === 0 ? (
        <p>{privacyWords.nothingRemains}</p>
      ) : (
        <ul>
          {done.remaining.map(({ kind, count, ids, reason }) => (
            <li key={kind}>
              <strong>
                {countText(count)} {kind}
              </strong>{' '}
              {reason} <span class="mono quiet">{visible(ids.join(' '))}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Page by page to the end; what remains is what any page has named. */
async function eraseAll(body: object): Promise<Erasure> {
  let whole: Erasure | null = null;
  for (let cursor: string | null = null; ; ) {
    const part: Erasure = await settings.erase(cursor === null ? body : { ...body, cursor });
    whole = whole === null ? part : together(whole, part);
    cursor = part.nextCursor;
    if (cursor === null) return whole;
  }
}

function together(one: Erasure, other: Erasure): Erasure {
  const sums = Object.entries(other.erased).map(([name, count]) => [
    name,
    count + (Object.entries(one.erased).find(([own]) => own === name)?.[1] ?? 0),
  ]);
  return {
    ...other,
    erased: { ...one.erased, ...Object.fromEntries(sums) },
    remaining: [...one.remaining, ...other.remaining],
  };
}

function given(fields: Readonly<Record<string, string>>): object {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, text]) =>
      text.trim() === '' ? [] : [[name, text.trim()]],
    ),
  );
}
