/** Members: the people of a tenant, and who stands in for whom. */
import { useState } from 'preact/hooks';
import type { Member } from '../../../../src/contract/members.ts';
import { lists, settings } from '../../api/routes.ts';
import { useCaller, useIsAdmin } from '../../caller.ts';
import { shell } from '../../strings/common.ts';
import { membersWords } from '../../strings/settings.ts';
import { Ask } from '../../ui/ask.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { timeText, visible } from '../../ui/text.ts';
import { Time } from '../../ui/time.tsx';
import { ListState, useSettingList } from './list-query.tsx';

const ROLES = (['viewer', 'approver', 'admin'] as const).map((value) => ({
  value,
  label: shell.roles[value],
}));

type Doing =
  | { readonly what: 'create' }
  | { readonly what: 'change' | 'remove' | 'away'; readonly member: Member };

export function MembersPart() {
  const members = useSettingList('members', lists.members);
  const isAdmin = useIsAdmin();
  const [doing, setDoing] = useState<Doing | null>(null);
  const close = () => setDoing(null);
  return (
    <>
      {isAdmin ? (
        <p class="part-actions">
          <button type="button" class="button primary" onClick={() => setDoing({ what: 'create' })}>
            {membersWords.create}
          </button>
        </p>
      ) : null}
      <ListState query={members} empty={membersWords.create}>
        {(items) => <Table members={items} onDo={setDoing} />}
      </ListState>
      {doing?.what === 'create' ? <Create onClose={close} /> : null}
      {doing?.what === 'change' ? <Change member={doing.member} onClose={close} /> : null}
      {doing?.what === 'away' ? (
        <Away member={doing.member} members={members.data?.items ?? []} onClose={close} />
      ) : null}
      {doing?.what === 'remove' ? (
        <Ask
          title={membersWords.remove}
          verb={membersWords.remove}
          isStop
          onDo={() => settings.removeMember(doing.member.id)}
          onClose={close}
        >
          <p>{membersWords.removeHow(visible(doing.member.name))}</p>
        </Ask>
      ) : null}
    </>
  );
}

function Table({ members, onDo }: { members: readonly Member[]; onDo: (doing: Doing) => void }) {
  const { columns } = membersWords;
  const isAdmin = useIsAdmin();
  const { actor } = useCaller();
  const nameOf = (id: string) => members.find((one) => one.id === id)?.name ?? id;
  return (
    <table class="plain-table" aria-label={membersWords.label}>
      <thead>
        <tr>
          <th scope="col">{columns.name}</th>
          <th scope="col" class="wide-only">
            {columns.email}
          </th>
          <th scope="col">{columns.role}</th>
          <th scope="col" class="wide-only">
            {columns.away}
          </th>
          <td />
        </tr>
      </thead>
      <tbody>
        {members.map((member) => (
          <tr key={member.id} class={member.removedAt === null ? '' : 'is-off'}>
            <td class="col-main">{visible(member.name)}</td>
            <td class="wide-only">{visible(member.email)}</td>
            <td>{shell.roles[member.role]}</td>
            <td class="wide-only">
              {member.delegation === null
                ? null
                : membersWords.isAway(
                    visible(nameOf(member.delegation.to)),
                    timeText(member.delegation.until),
                  )}
            </td>
            <td class="row-action">
              {member.removedAt === null ? (
                <RowActions
                  member={member}
                  isAdmin={isAdmin}
                  isSelf={member.id === actor.id}
                  onDo={onDo}
                />
              ) : (
                <>
                  {membersWords.removed} <Time at={member.removedAt} />
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function RowActions({
  member,
  isAdmin,
  isSelf,
  onDo,
}: {
  member: Member;
  isAdmin: boolean;
  isSelf: boolean;
  onDo: (doing: Doing) => void;
}) {
  return (
    <>
      {isAdmin || isSelf ? (
        <button type="button" class="link" onClick={() => onDo({ what: 'away', member })}>
          {membersWords.away}
        </button>
      ) : null}
      {isAdmin ? (
        <>
          <button type="button" class="link" onClick={() => onDo({ what: 'change', member })}>
            {membersWords.change}
          </button>
          <button type="button" class="link" onClick={() => onDo({ what: 'remove', member })}>
            {membersWords.remove}
          </button>
        </>
      ) : null}
    </>
  );
}

function Create({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [role, setRole] = useState('approver');
  return (
    <Ask
      title={membersWords.create}
      verb={membersWords.create}
      onDo={() => settings.createMember({ name, email, role })}
      onClose={onClose}
    >
      <TextField label={membersWords.name} value={name} onInput={setName} required autoFocus />
      <TextField
        label={membersWords.email}
        hint={membersWords.emailHint}
        type="email"
        value={email}
        onInput={setEmail}
        required
      />
      <SelectField label={membersWords.role} value={role} options={ROLES} onInput={setRole} />
    </Ask>
  );
}

function Change({ member, onClose }: { member: Member; onClose: () => void }) {
  const [name, setName] = useState(member.name);
  const [role, setRole] = useState<string>(member.role);
  return (
    <Ask
      title={membersWords.change}
      verb={membersWords.change}
      onDo={() => settings.updateMember({ id: member.id, name, role })}
      onClose={onClose}
    >
      <TextField label={membersWords.name} value={name} onInput={setName} required autoFocus />
      <SelectField label={membersWords.role} value={role} options={ROLES} onInput={setRole} />
    </Ask>
  );
}

function Away({
  member,
  members,
  onClose,
}: {
  member: Member;
  members: readonly Member[];
  onClose: () => void;
}) {
  const { actor } = useCaller();
  const [to, setTo] = useState('');
  const [until, setUntil] = useState('');
  const whose = member.id === actor.id ? {} : { memberId: member.id };
  const others = members.filter(({ id, removedAt }) => id !== member.id && removedAt === null);
  return (
    <Ask
      title={`${membersWords.away}: ${visible(member.name)}`}
      verb={member.delegation === null ? membersWords.away : membersWords.end}
      isReady={member.delegation !== null || (to !== '' && until !== '')}
      onDo={() =>
        member.delegation === null
          ? settings.delegate({ to, until: new Date(until).toISOString(), ...whose })
          : settings.undelegate(member.id)
      }
      onClose={onClose}
    >
      <p class="quiet">{membersWords.awayHow}</p>
      {member.delegation === null ? (
        <>
          <SelectField
            label={membersWords.to}
            value={to}
            options={[
              { value: '', label: '' },
              ...others.map(({ id, name }) => ({ value: id, label: name })),
            ]}
            onInput={setTo}
          />
          <TextField
            label={membersWords.until}
            type="datetime-local"
            value={until}
            onInput={setUntil}
            required
          />
        </>
      ) : null}
    </Ask>
  );
}
