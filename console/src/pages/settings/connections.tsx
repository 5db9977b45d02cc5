/** Connections: what is set, never with what; tried out, changed, taken away. */
import { useState } from 'preact/hooks';
import type {
  Connection,
  ConnectionCheck,
  ConnectionKind,
} from '../../../../src/contract/connections.ts';
import { lists, settings } from '../../api/routes.ts';
import { connectionsWords, keysWords } from '../../strings/settings.ts';
import { useAction } from '../../ui/action.ts';
import { Ask, ShownOnce } from '../../ui/ask.tsx';
import { TextField } from '../../ui/field.tsx';
import { Facts } from '../../ui/page.tsx';
import { ErrorLine } from '../../ui/states.tsx';
import { Shape } from '../../ui/status.tsx';
import { visible } from '../../ui/text.ts';
import { Time } from '../../ui/time.tsx';
import { ConnectionForm } from './connection-form.tsx';
import { ListState, useSettingList } from './list-query.tsx';

const KINDS: readonly ConnectionKind[] = [
  'shopify',
  'stripe',
  'webhook',
  'email',
  'flags',
  'exports',
];

export function ConnectionsPart() {
  const connections = useSettingList('connections', lists.connections);
  return (
    <ListState query={connections} empty="">
      {(items) => (
        <ul class="connections">
          {KINDS.map((kind) => (
            <One
              key={kind}
              kind={kind}
              connection={items.find((one) => one.kind === kind) ?? null}
            />
          ))}
        </ul>
      )}
    </ListState>
  );
}

type Doing = 'set' | 'remove' | 'rotate';

function One({ kind, connection }: { kind: ConnectionKind; connection: Connection | null }) {
  const [doing, setDoing] = useState<Doing | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const name = connectionsWords.kinds[kind];
  const close = () => setDoing(null);
  return (
    <li class={connection === null ? 'connection is-off' : 'connection'}>
      <header>
        <h2>
          <Shape status={connection === null ? 'skipped' : 'succeeded'} /> {name}{' '}
          <small class="quiet">
            {connection === null ? connectionsWords.notSet : connectionsWords.set}
          </small>
        </h2>
        <p class="quiet">{connectionsWords.what[kind]}</p>
      </header>
      {connection === null ? null : <Shown connection={connection} />}
      <p class="actions">
        <button type="button" class="button" onClick={() => setDoing('set')}>
          {connectionsWords.change}
        </button>
        {kind === 'webhook' ? (
          <button type="button" class="button" onClick={() => setDoing('rotate')}>
            {connectionsWords.rotate}
          </button>
        ) : null}
        {connection === null ? null : (
          <button type="button" class="link" onClick={() => setDoing('remove')}>
            {connectionsWords.remove}
          </button>
        )}
      </p>
      {connection === null ? null : <Test kind={kind} />}
      {doing === 'set' ? <ConnectionForm kind={kind} name={name} onClose={close} /> : null}
      {doing === 'remove' ? (
        <Ask
          title={connectionsWords.remove}
          verb={connectionsWords.remove}
          isStop
          onDo={() => settings.removeConnection(kind)}
          onClose={close}
        >
          <p>{connectionsWords.removeHow(name)}</p>
        </Ask>
      ) : null}
      {doing === 'rotate' ? (
        <Ask
          title={connectionsWords.rotate}
          verb={connectionsWords.rotate}
          onDo={async () => setSecret((await settings.rotateSecret()).signingSecret ?? null)}
          onClose={close}
        >
          <p>{connectionsWords.rotateHow}</p>
        </Ask>
      ) : null}
      {secret === null ? null : (
        <ShownOnce
          title={connectionsWords.secretMade}
          how={connectionsWords.secretMadeHow}
          text={secret}
          what={connectionsWords.theSecret}
          done={keysWords.done}
          onClose={() => setSecret(null)}
        />
      )}
    </li>
  );
}

function Shown({ connection }: { connection: Connection }) {
  const { ignored = [] } = connection;
  return (
    <>
      <Facts
        facts={[
          ...Object.entries(connection.settings).map(
            ([name, value]) => [name, visible(value)] as const,
          ),
          ...(connection.secrets.length === 0
            ? []
            : [[connectionsWords.secrets, connection.secrets.join(', ')] as const]),
          [connectionsWords.updated, <Time key="u" at={connection.updatedAt} />],
        ]}
      />
      {ignored.length === 0 ? null : (
        <>
          <h3>{connectionsWords.ignored}</h3>
          <ul>
            {ignored.map(({ topic, count, lastAt }) => (
              <li key={topic}>
                <span class="mono">{visible(topic)}</span> {connectionsWords.times(count)},{' '}
                <Time at={lastAt} />
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function Test({ kind }: { kind: ConnectionKind }) {
  const action = useAction();
  const [url, setUrl] = useState('');
  const [found, setFound] = useState<{ ok: boolean; checks: ConnectionCheck[] } | null>(null);
  const test = () =>
    action.run(async () =>
      setFound(await settings.testConnection(kind, url === '' ? undefined : url)),
    );
  return (
    <form
      class="test"
      onSubmit={(event) => {
        event.preventDefault();
        void test();
      }}
    >
      {kind === 'webhook' ? (
        <TextField
          label={connectionsWords.testAt}
          type="url"
          value={url}
          onInput={setUrl}
          required
        />
      ) : null}
      <button type="submit" class="button" disabled={action.isBusy}>
        {action.isBusy ? connectionsWords.testing : connectionsWords.test}
      </button>
      <ErrorLine error={action.error} />
      <div role="status">
        {found === null ? null : (
          <>
            <p>
              <strong>{found.ok ? connectionsWords.good : connectionsWords.bad}</strong>
            </p>
            <ul class="checks">
              {found.checks.map(({ name, ok, detail }) => (
                <li key={name}>
                  <Shape status={ok ? 'succeeded' : 'failed'} /> <strong>{name}</strong>{' '}
                  {visible(detail)}
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </form>
  );
}
