/** Waiting, but not for ever. */

/** What the work answers, or null when it takes longer. The work goes on; its failure is thrown. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | null> {
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(resolve, ms, null);
  try {
    return await Promise.race([work, late]);
  } finally {
    // A timer that stands keeps its object in memory.
    clearTimeout(timer);
  }
}
