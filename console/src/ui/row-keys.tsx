/** j and k through the rows of a short table: from one `[data-row]` to the next. */
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { useShortcuts } from '../keys/shortcuts.ts';
import { keyWords } from '../strings/common.ts';

export function RowKeys({ children }: { children: ComponentChildren }) {
  const ref = useRef<HTMLDivElement>(null);
  const move = (by: number) => {
    const rows = [...(ref.current?.querySelectorAll<HTMLElement>('[data-row]') ?? [])];
    const at = rows.findIndex((row) => row.matches(':focus'));
    const next = at === -1 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1);
    rows[next]?.focus();
  };
  useShortcuts([
    { keys: 'j', what: keyWords.next, act: () => move(1) },
    { keys: 'k', what: keyWords.previous, act: () => move(-1) },
  ]);
  return <div ref={ref}>{children}</div>;
}
