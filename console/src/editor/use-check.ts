/** What the server finds wrong with a definition, a moment after somebody stopped typing. */
import { useEffect, useState } from 'preact/hooks';
import type { JsonObject } from '../../../src/contract/json.ts';
import type { Fault } from '../../../src/contract/problems.ts';
import { Problem } from '../api/client.ts';
import { workflows } from '../api/routes.ts';

const QUIET_MS = 350;

export interface Checked {
  readonly isAsking: boolean;
  readonly faults: readonly Fault[];
  /** The server did not say. */
  readonly error: Error | null;
}

const NONE: Checked = { isAsking: true, faults: [], error: null };

/** @param text the draft's text: what is checked, and told apart by */
export function useCheck(draft: JsonObject | null, text: string): Checked {
  const [checked, setChecked] = useState(NONE);
  useEffect(() => {
    if (draft === null) return;
    let isLatest = true;
    setChecked((known) => ({ ...known, isAsking: true }));
    const timer = setTimeout(async () => {
      const found = await faultsOf(draft);
      if (isLatest) setChecked(found);
    }, QUIET_MS);
    return () => {
      isLatest = false;
      clearTimeout(timer);
    };
  }, [text]);
  return checked;
}

async function faultsOf(draft: JsonObject): Promise<Checked> {
  try {
    await workflows.check(draft);
    return { isAsking: false, faults: [], error: null };
  } catch (error) {
    if (error instanceof Problem && error.code === 'validation_failed')
      return { isAsking: false, faults: error.errors, error: null };
    const failure = error instanceof Error ? error : new Error(String(error));
    return { isAsking: false, faults: [], error: failure };
  }
}
