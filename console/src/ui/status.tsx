/**
 * A status by shape and word, and then by colour. Shapes are a signal box's: a disc is clear, a bar
 * across is stop, a diamond waits for a person.
 */
import type { JSX } from 'preact';
import { statusWords } from '../strings/common.ts';

/** What is to be seen at a glance, whatever the word is. */
export type Signal = 'go' | 'stop' | 'hold' | 'move' | 'off';

const SIGNALS: Readonly<Record<string, Signal>> = {
  queued: 'off',
  pending: 'off',
  running: 'move',
  waiting: 'move',
  pending_approval: 'hold',
  succeeded: 'go',
  approved: 'go',
  delivered: 'go',
  failed: 'stop',
  denied: 'stop',
  expired: 'stop',
  failing: 'stop',
  disabled: 'stop',
  cancelled: 'off',
  skipped: 'off',
};

export function signalOf(status: string): Signal {
  return SIGNALS[status] ?? 'off';
}

const SHAPES: Readonly<Record<string, JSX.Element>> = {
  queued: <circle cx="7" cy="7" r="4.6" class="hollow" />,
  pending: <circle cx="7" cy="7" r="4.6" class="hollow" />,
  running: (
    <>
      <circle cx="7" cy="7" r="4.6" class="hollow" />
      <path d="M7 2.4a4.6 4.6 0 0 1 0 9.2z" class="solid" />
    </>
  ),
  waiting: (
    <>
      <circle cx="7" cy="7" r="4.6" class="hollow" />
      <path d="M7 4.4V7l1.8 1.4" class="hollow" />
    </>
  ),
  pending_approval: <path d="m7 1 6 6-6 6-6-6z" class="solid" />,
  succeeded: <circle cx="7" cy="7" r="5.4" class="solid" />,
  failed: <path d="m2.6 2.6 8.8 8.8m0-8.8-8.8 8.8" class="bold" />,
  denied: (
    <>
      <circle cx="7" cy="7" r="5" class="hollow" />
      <path d="M3.6 7h6.8" class="bold" />
    </>
  ),
  expired: (
    <>
      <path d="M3.5 2h7M3.5 12h7M4.4 2.4 9.6 11.6M9.6 2.4 4.4 11.6" class="hollow" />
    </>
  ),
  cancelled: <path d="M2.6 2.6h8.8v8.8H2.6z" class="hollow" />,
  skipped: <path d="M2 7h10" class="bold" />,
};

const SAME: Readonly<Record<string, string>> = {
  approved: 'succeeded',
  delivered: 'succeeded',
  failing: 'failed',
  disabled: 'denied',
};

/** The shape alone, where the word stands elsewhere. */
export function Shape({ status }: { status: string }) {
  return (
    <svg
      class={`shape ${signalOf(status)}`}
      viewBox="0 0 14 14"
      width="14"
      height="14"
      aria-hidden="true"
      focusable="false"
    >
      {SHAPES[SAME[status] ?? status] ?? SHAPES.queued}
    </svg>
  );
}

export function statusWord(status: string): string {
  return statusWords[status] ?? status.replaceAll('_', ' ');
}

export function Status({ status }: { status: string }) {
  return (
    <span class={`status ${signalOf(status)}`}>
      <Shape status={status} />
      {statusWord(status)}
    </span>
  );
}
