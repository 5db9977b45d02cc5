/** Two texts line by line: what both have, and what only one of them has. Pure. */

export interface Line {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** By the longest common subsequence; definitions have some hundred lines. */
export function linesBetween(before: string, after: string): Line[] {
  const [a, b] = [before.split('\n'), after.split('\n')];
  const lengths = lengthsOf(a, b);
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    if (left !== undefined && left === right) {
      lines.push({ kind: 'same', text: left });
      i += 1;
      j += 1;
    } else if (
      left !== undefined &&
      (right === undefined || (lengths[i + 1]?.[j] ?? 0) >= (lengths[i]?.[j + 1] ?? 0))
    ) {
      lines.push({ kind: 'removed', text: left });
      i += 1;
    } else if (right !== undefined) {
      lines.push({ kind: 'added', text: right });
      j += 1;
    }
  }
  return lines;
}

/** How long the common part of the rests is, from each pair of lines on. */
function lengthsOf(a: readonly string[], b: readonly string[]): number[][] {
  const lengths = Array.from({ length: a.length + 1 }, () =>
    new Array<number>(b.length + 1).fill(0),
  );
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const row = lengths[i];
      if (row === undefined) continue;
      row[j] =
        a[i] === b[j]
          ? (lengths[i + 1]?.[j + 1] ?? 0) + 1
          : Math.max(lengths[i + 1]?.[j] ?? 0, row[j + 1] ?? 0);
    }
  return lengths;
}

export interface Part {
  /** Lines to show; for a fold, the first and the last are those around it. */
  readonly lines: readonly Line[];
  readonly isFold: boolean;
}

/** Long stretches of the same are folded, but for a few lines around what differs. */
export function folded(lines: readonly Line[], around = 3): Part[] {
  const parts: { lines: Line[]; isFold: boolean }[] = [];
  const isNear = lines.map((_, at) =>
    lines.slice(Math.max(0, at - around), at + around + 1).some(({ kind }) => kind !== 'same'),
  );
  for (const [at, line] of lines.entries()) {
    const isFold = isNear[at] !== true;
    const last = parts.at(-1);
    if (last?.isFold === isFold) last.lines.push(line);
    else parts.push({ lines: [line], isFold });
  }
  return parts;
}
