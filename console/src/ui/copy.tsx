/** Whatever somebody may have to paste elsewhere at 3 a.m.: ids, times, errors. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { common } from '../strings/common.ts';
import { CheckIcon, CopyIcon } from './icons.tsx';

const SHOWN_MS = 1_500;

export function CopyButton({ text, what }: { text: string; what: string }) {
  const [isDone, setIsDone] = useState(false);
  useEffect(() => {
    if (!isDone) return;
    const timer = setTimeout(() => setIsDone(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isDone]);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setIsDone(true);
  };
  return (
    <button
      type="button"
      class="copy"
      title={common.copy(what)}
      aria-label={isDone ? common.copied : common.copy(what)}
      onClick={() => void copy()}
    >
      {isDone ? <CheckIcon /> : <CopyIcon />}
    </button>
  );
}

/** A text with its button behind it. */
export function Copyable({
  text,
  what,
  children,
}: {
  text: string;
  what: string;
  children?: ComponentChildren;
}) {
  return (
    <span class="copyable">
      {children ?? <span class="mono">{text}</span>}
      <CopyButton text={text} what={what} />
    </span>
  );
}
