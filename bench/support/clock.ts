/** One clock for all processes of a bench: milliseconds since the epoch, with fractions. */
export const now = (): number => performance.timeOrigin + performance.now();

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/** Asks again and again until the answer will do; gives the last answer when it never does. */
export async function until<Value>(
  ask: () => Promise<Value>,
  isEnough: (value: Value) => boolean,
  { waitMs, everyMs }: { readonly waitMs: number; readonly everyMs: number },
): Promise<Value> {
  const deadline = now() + waitMs;
  let value = await ask();
  while (!isEnough(value) && now() < deadline) {
    await pause(everyMs);
    value = await ask();
  }
  return value;
}
