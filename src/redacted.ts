/**
 * The last line of defence for texts that were not written by us, such as a fault's own message: what
 * looks like a credential, an address or somebody's mail is taken out. Nothing relies on it; whoever
 * writes a text leaves secrets out to begin with.
 */

/** What is looked for, and what stands there instead. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  // A URL keeps its origin: paths and queries may be credentials.
  [/\b([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/?#"'<>]*@)?([^\s/?#"'<>@]*)[^\s"'<>]*/gi, '$1$2/…'],
  [/\b(sb[xf]_[a-z0-9-]{2,40}_)[0-9a-f]{8,}/g, '$1…'],
  [/\b((?:whsec|whsk|shpss|shpat|shpca|sk|rk|pk|re)_)[\w+/=-]{6,}/g, '$1…'],
  [/\b(Bearer|Basic)\s+[^\s"',]+/gi, '$1 …'],
  [/\beyJ[\w-]+(?:\.[\w-]*)*/g, 'eyJ…'],
  [/[^\s"'<>@,;:()]+@[^\s"'<>@,;:()]+\.[^\s"'<>@,;:()]+/g, '…@…'],
];

/** What is longer is cut: some of the shapes take a time that grows with the square of the length. */
const LENGTH_MAX = 2_000;

export function redacted(text: string): string {
  const start = text.slice(0, LENGTH_MAX);
  return SHAPES.reduce((told, [shape, instead]) => told.replaceAll(shape, instead), start);
}
