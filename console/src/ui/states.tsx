/** What is there when there is nothing to show: not yet, not any, not possible. */
import type { ComponentChildren } from 'preact';
import { Problem, Unreachable } from '../api/client.ts';
import { common } from '../strings/common.ts';
import { CopyButton } from './copy.tsx';

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <svg viewBox="0 0 120 24" width="120" height="24" aria-hidden="true" focusable="false">
        <path d="M0 17h120" class="track" />
        <path d="M24 17V7m0 0h10v5H24" class="post" />
      </svg>
      <h2>{title}</h2>
      {children === undefined ? null : <p>{children}</p>}
    </div>
  );
}

/** Rows of the height that is to come, so that nothing moves when it does. */
export function Loading({ rows = 6 }: { rows?: number }) {
  return (
    <div class="loading" role="status">
      <span class="unseen">{common.loading}</span>
      {Array.from({ length: rows }, (_, row) => (
        <i key={row} aria-hidden="true" />
      ))}
    </div>
  );
}

/** A refusal or a failure, with what helps whoever is asked about it. */
export function ErrorPanel({ error, retry }: { error: Error; retry?: () => void }) {
  const told = tellOf(error);
  return (
    <div class="error-panel" role="alert">
      <h2>{told.title}</h2>
      <p>{told.text}</p>
      <p class="actions">
        {retry === undefined ? null : (
          <button type="button" class="button" onClick={retry}>
            {common.tryAgain}
          </button>
        )}
        <CopyButton text={told.copy} what={common.theError} />
        <span class="quiet mono">{told.small}</span>
      </p>
    </div>
  );
}

/** The same on one line, where something was asked for and refused. */
export function ErrorLine({ error }: { error: Error | null }) {
  if (error === null) return null;
  const { text, copy } = tellOf(error);
  return (
    <p class="error-line" role="alert">
      {text} <CopyButton text={copy} what={common.theError} />
    </p>
  );
}

function tellOf(error: Error) {
  if (error instanceof Unreachable)
    return {
      title: common.unreachable,
      text: common.unreachableHow,
      small: '',
      copy: error.message,
    };
  if (error instanceof Problem) {
    const faults = error.errors.map(({ path, message }) => `${path}: ${message}`);
    return {
      title: error.status === 404 ? common.notFound : common.refused,
      text: [error.message, ...faults].join(' '),
      small: `${error.code} ${error.requestId}`,
      copy: [`${error.status} ${error.code}`, error.message, ...faults, error.requestId].join('\n'),
    };
  }
  return {
    title: common.broken,
    text: error.message,
    small: '',
    copy: error.stack ?? error.message,
  };
}
