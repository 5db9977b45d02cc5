/** What the object of a run keeps of it, to be looked at, or changed behind its back. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { runObject } from '../../../src/objects/index.ts';

export interface JournalPart {
  readonly seed: string | null;
  readonly entries: string;
}

export async function journalOf(tenantId: string, runId: string): Promise<JournalPart[]> {
  return await runInDurableObject(runObject(env, tenantId, runId), (_, { storage }) =>
    [...storage.kv.list<JournalPart>()].map(([, part]) => part),
  );
}

/** The run goes on from what was changed. */
export async function tamperWith(
  tenantId: string,
  runId: string,
  change: (part: JournalPart) => JournalPart,
): Promise<void> {
  const object = runObject(env, tenantId, runId);
  await runInDurableObject(object, (_, { storage }) => {
    for (const [key, part] of [...storage.kv.list<JournalPart>()])
      storage.kv.put(key, { ...part, ...change(part) });
  });
  await evictDurableObject(object);
}
