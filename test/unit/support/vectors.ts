/** Public test vectors that lie beside a checkout and are not part of it. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type * as z from 'zod';

const VECTORS = fileURLToPath(new URL('../../../../shared/vectors/', import.meta.url));

export type Vector<T> = { name: string; vector: T };

/**
 * The vectors of all files that the pattern names; none, with a word about it, when they are not
 * there. A file that does not have the form is an error.
 */
export function readVectors<T>(pattern: string, schema: z.ZodType<T>): Vector<T>[] {
  if (!existsSync(VECTORS)) {
    console.log(`SKIPPED: the public vectors ${pattern} are not beside this checkout`);
    return [];
  }
  return globSync(pattern, { cwd: VECTORS }).map((name) => {
    const vector = schema.parse(JSON.parse(readFileSync(`${VECTORS}${name}`, 'utf8')));
    return { name, vector };
  });
}
