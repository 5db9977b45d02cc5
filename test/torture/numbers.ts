/** Numbers from a command line. */

/** @throws when it is none, or less than nothing */
export function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value) || value < 0) throw new Error(`--${name} is a number`);
  return value;
}
