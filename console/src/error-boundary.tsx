/** A page that breaks is a page that says so: the others go on. */
import type { ComponentChildren } from 'preact';
import { useErrorBoundary } from 'preact/hooks';
import { common } from './strings/common.ts';
import { CopyButton } from './ui/copy.tsx';

export function ErrorBoundary({ children }: { children: ComponentChildren }) {
  const [error, reset] = useErrorBoundary();
  if (error === undefined) return <>{children}</>;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return (
    <div class="error-panel" role="alert">
      <h2>{common.broken}</h2>
      <p>{common.brokenHow}</p>
      <p class="actions">
        <button type="button" class="button" onClick={reset}>
          {common.tryAgain}
        </button>
        <CopyButton text={stack} what={common.theError} />
      </p>
      <pre class="stack">{stack}</pre>
    </div>
  );
}
