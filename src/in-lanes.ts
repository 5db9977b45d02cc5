/**
 * How many lanes may lead out of an invocation: it has six connections.
 * https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections
 */
export const LANES_OUT = 6;

/**
 * Works through a list, so many at once, in its order. What is taken out of the list meanwhile is not
 * begun. @throws what the work throws, while the other lanes go on
 */
export async function inLanes<T>(
  waiting: T[],
  lanes: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const lane = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
