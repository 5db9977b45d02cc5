/** One clock for all processes of a bench: milliseconds since the epoch, with fractions. */
export const now = (): number => performance.timeOrigin + performance.now();
