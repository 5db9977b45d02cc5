/** How long something has been under way: it counts on. */
import { useNow } from '../../ui/now.ts';
import { spanText } from '../../ui/text.ts';

export function TookSoFar({ since }: { since: string }) {
  const now = useNow();
  return <span class="quiet">{spanText(Math.max(0, now - Date.parse(since)))}</span>;
}
