/**
 * Versions of workflows, compiled once in an isolate. Each was checked when it was saved; a later build
 * of ours may read it more strictly, and then says so instead of running it.
 */
import { ACTION_RULES } from '../actions/index.ts';
import type { Definition } from '../contract/workflows.ts';
import { type CompiledDefinition, compileDefinition } from '../engine/definition.ts';
import { Recent } from '../recent.ts';

type Compiled =
  | { readonly ok: true; readonly compiled: CompiledDefinition }
  | { readonly ok: false; readonly reason: string };

interface StoredVersion {
  readonly id: string;
  readonly version: number;
  readonly definition: Definition;
}

const kept = new Recent<Compiled>({ max: 1_000, keptMs: 3_600_000 });

export function compiledVersion(
  tenantId: string,
  { id, version, definition }: StoredVersion,
): Compiled {
  const key = `${tenantId}/${id}/${version}`;
  const now = Date.now();
  const known = kept.get(key, now);
  if (known !== undefined) return known;
  const result = compileDefinition(definition, ACTION_RULES);
  const compiled = result.ok ? result : { ok: false as const, reason: reasonOf(version, result) };
  kept.put(key, compiled, now);
  return compiled;
}

function reasonOf(
  version: number,
  { faults: [first] }: { readonly faults: readonly { path: string; message: string }[] },
): string {
  const fault = first === undefined ? '' : ` ${first.path}: ${first.message}.`;
  return `Version ${version} cannot be read any more:${fault} Mend it and save it again.`;
}
