/** Something that is asked of the server by a person: under way, refused, or done. */
import { useState } from 'preact/hooks';
import { queries } from '../live/queries.ts';

export interface Action {
  readonly isBusy: boolean;
  readonly error: Error | null;
  /** Nothing is assumed: what a page shows is asked for again once the server has said yes. */
  run(work: () => Promise<unknown>): Promise<boolean>;
  clear(): void;
}

export function useAction(): Action {
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const run = async (work: () => Promise<unknown>) => {
    setIsBusy(true);
    setError(null);
    try {
      await work();
      return true;
    } catch (failure) {
      setError(failure instanceof Error ? failure : new Error(String(failure)));
      return false;
    } finally {
      setIsBusy(false);
      void queries.invalidateQueries();
    }
  };
  return { isBusy, error, run, clear: () => setError(null) };
}
