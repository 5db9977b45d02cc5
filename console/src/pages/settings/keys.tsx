/** API keys: made, shown once, revoked. */
import { useState } from 'preact/hooks';
import type { KeyRole } from '../../../../src/contract/json.ts';
import type { ApiKey } from '../../../../src/contract/tenants.ts';
import { lists, settings } from '../../api/routes.ts';
import { keysWords } from '../../strings/settings.ts';
import { Ask, ShownOnce } from '../../ui/ask.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { RowKeys } from '../../ui/row-keys.tsx';
import { visible } from '../../ui/text.ts';
import { Time } from '../../ui/time.tsx';
import { ListState, useSettingList } from './list-query.tsx';

const ROLES: readonly KeyRole[] = ['viewer', 'approver', 'admin', 'ingest', 'frontend'];

export function KeysPart() {
  const keys = useSettingList('keys', lists.keys);
  const [isMaking, setIsMaking] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  return (
    <>
      <p class="part-actions">
        <button type="button" class="button primary" onClick={() => setIsMaking(true)}>
          {keysWords.create}
        </button>
      </p>
      <ListState query={keys} empty="">
        {(items) => <Table keys={items} onRevoke={setRevoking} />}
      </ListState>
      {isMaking ? <NewKey onMade={setSecret} onClose={() => setIsMaking(false)} /> : null}
      {secret === null ? null : (
        <ShownOnce
          title={keysWords.made}
          how={keysWords.madeHow}
          text={secret}
          what={keysWords.theKey}
          done={keysWords.done}
          onClose={() => setSecret(null)}
        />
      )}
      {revoking === null ? null : (
        <Ask
          title={keysWords.revoke}
          verb={keysWords.revoke}
          isStop
          onDo={() => settings.revokeKey(revoking.id)}
          onClose={() => setRevoking(null)}
        >
          <p>{keysWords.revokeHow(visible(revoking.name))}</p>
        </Ask>
      )}
    </>
  );
}

function Table({ keys, onRevoke }: { keys: readonly ApiKey[]; onRevoke: (key: ApiKey) => void }) {
  const { columns } = keysWords;
  return (
    <RowKeys>
      <table class="plain-table" aria-label={keysWords.label}>
        <thead>
          <tr>
            <th scope="col">{columns.name}</th>
            <th scope="col">{columns.role}</th>
            <th scope="col" class="wide-only">
              {columns.prefix}
            </th>
            <th scope="col" class="wide-only" title={keysWords.aboutAnHour}>
              {columns.used}
            </th>
            <th scope="col" class="wide-only">
              {columns.created}
            </th>
            <td />
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.id} class={key.revokedAt === null ? '' : 'is-off'}>
              <td class="col-main">{visible(key.name)}</td>
              <td>{key.role}</td>
              <td class="mono wide-only">{key.prefix}…</td>
              <td class="wide-only">
                {key.lastUsedAt === null ? (
                  <span class="quiet">{keysWords.never}</span>
                ) : (
                  <Time at={key.lastUsedAt} />
                )}
              </td>
              <td class="wide-only">
                <Time at={key.createdAt} />
              </td>
              <td class="row-action">
                {key.revokedAt === null ? (
                  <button
                    type="button"
                    class="link"
                    data-row
                    aria-label={`${keysWords.revoke}: ${key.name}`}
                    onClick={() => onRevoke(key)}
                  >
                    {keysWords.revoke}
                  </button>
                ) : (
                  keysWords.revoked
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </RowKeys>
  );
}

function NewKey({ onMade, onClose }: { onMade: (secret: string) => void; onClose: () => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<KeyRole>('viewer');
  const [memberId, setMemberId] = useState('');
  const members = useSettingList('members', lists.members).data?.items ?? [];
  return (
    <Ask
      title={keysWords.create}
      verb={keysWords.create}
      onDo={async () => {
        const whose = memberId === '' ? {} : { memberId };
        const { apiKey } = await settings.createKey({ name, role, ...whose });
        onMade(apiKey.secret);
      }}
      onClose={onClose}
    >
      <TextField
        label={keysWords.name}
        hint={keysWords.nameHint}
        value={name}
        onInput={setName}
        required
        autoFocus
      />
      <SelectField
        label={keysWords.role}
        value={role}
        options={ROLES.map((value) => ({ value, label: keysWords.roles[value] }))}
        onInput={(value) => setRole(ROLES.find((one) => one === value) ?? 'viewer')}
      />
      <SelectField
        label={keysWords.member}
        value={memberId}
        options={[
          { value: '', label: keysWords.nobody },
          ...members.flatMap(({ id, name: called, removedAt }) =>
            removedAt === null ? [{ value: id, label: called }] : [],
          ),
        ]}
        onInput={setMemberId}
      />
    </Ask>
  );
}
