/** Whether the screen is narrow: what CSS alone cannot decide, such as the height of a list's rows. */
import { useEffect, useState } from 'preact/hooks';

const narrow = matchMedia('(max-width: 48rem)');

export function useIsNarrow(): boolean {
  const [isNarrow, setIsNarrow] = useState(narrow.matches);
  useEffect(() => {
    const hear = () => setIsNarrow(narrow.matches);
    narrow.addEventListener('change', hear);
    return () => narrow.removeEventListener('change', hear);
  }, []);
  return isNarrow;
}
