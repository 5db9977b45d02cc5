/** A moment: local, with UTC on hover and for copying. */
import { timeText, utcText } from './text.ts';

export function Time({ at }: { at: string }) {
  return (
    <time dateTime={at} title={utcText(at)} class="nowrap">
      {timeText(at)}
    </time>
  );
}
