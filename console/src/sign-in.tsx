/** The door: an API key, or a tenant for whom Cloudflare Access has let in already. */
import { useState } from 'preact/hooks';
import type { Session } from '../../src/contract/session.ts';
import { chooseTenant, Problem } from './api/client.ts';
import { signIn, whoAmI } from './api/session.ts';
import { common, signInWords } from './strings/common.ts';
import { TextField } from './ui/field.tsx';
import { ErrorLine } from './ui/states.tsx';

export function SignIn({
  hasEnded,
  needsTenant,
  onSignedIn,
}: {
  hasEnded: boolean;
  needsTenant: boolean;
  onSignedIn: (session: Session) => void;
}) {
  const [text, setText] = useState('');
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const enter = async () => {
    setIsBusy(true);
    setError(null);
    try {
      const session = needsTenant ? await enterTenant(text) : await signIn(text.trim());
      if (session === null) throw new Error(signInWords.wrong);
      onSignedIn(session);
    } catch (failure) {
      setError(inWords(failure));
      setIsBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <p class="brand">
        <Lamps />
        {common.product}
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void enter();
        }}
      >
        <h1>{signInWords.title}</h1>
        {hasEnded ? <p class="notice">{signInWords.ended}</p> : null}
        <TextField
          label={needsTenant ? signInWords.tenant : signInWords.key}
          hint={needsTenant ? signInWords.tenantHint : signInWords.keyHint}
          value={text}
          onInput={setText}
          type={needsTenant ? 'text' : 'password'}
          class="mono"
          autocomplete="off"
          spellcheck={false}
          autoFocus
          required
        />
        <ErrorLine error={error} />
        <button type="submit" class="button primary" disabled={isBusy}>
          {signInWords.submit}
        </button>
        {needsTenant ? null : <p class="quiet small">{signInWords.kept}</p>}
      </form>
    </main>
  );
}

export function Lamps() {
  return (
    <span class="lamps" aria-hidden="true">
      <i />
      <i />
      <i />
    </span>
  );
}

async function enterTenant(id: string): Promise<Session | null> {
  chooseTenant(id.trim());
  const session = await whoAmI();
  if (session === null) chooseTenant(null);
  return session;
}

function inWords(failure: unknown): Error {
  if (failure instanceof Problem && failure.status === 401) return new Error(signInWords.wrong);
  if (failure instanceof Problem && failure.status === 403) return new Error(signInWords.ingest);
  return failure instanceof Error ? failure : new Error(String(failure));
}
