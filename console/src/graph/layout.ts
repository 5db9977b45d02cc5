/**
 * Where the steps of a workflow stand in its picture: columns by what they need, rows so that lines
 * run straight where they can. Pure, and the same picture for the same steps.
 */

export interface Station {
  readonly id: string;
  readonly needs: readonly string[];
}

export interface Placed {
  readonly id: string;
  /** Column and row, from 0. */
  readonly column: number;
  readonly row: number;
}

export interface Picture {
  readonly stations: readonly Placed[];
  readonly lines: readonly { readonly from: string; readonly to: string }[];
  readonly columns: number;
  readonly rows: number;
}

/** Steps as a definition has them: without `needs`, each needs the one before it. */
export function stationsOf(
  steps: readonly { readonly id: string; readonly needs?: readonly string[] | undefined }[],
): Station[] {
  const known = new Set(steps.map(({ id }) => id));
  return steps.map(({ id, needs }, at) => {
    const before = steps[at - 1]?.id;
    const own = needs ?? (before === undefined ? [] : [before]);
    return { id, needs: own.filter((need) => known.has(need) && need !== id) };
  });
}

export function pictureOf(stations: readonly Station[]): Picture {
  const columns = columnsOf(stations);
  const byColumn = new Map<number, Station[]>();
  for (const station of stations) {
    const column = columns.get(station.id) ?? 0;
    byColumn.set(column, [...(byColumn.get(column) ?? []), station]);
  }
  const rows = new Map<string, number>();
  for (const column of [...byColumn.keys()].sort((a, b) => a - b))
    placeColumn(byColumn.get(column) ?? [], rows);
  const placed = stations.map(({ id }) => ({
    id,
    column: columns.get(id) ?? 0,
    row: rows.get(id) ?? 0,
  }));
  return {
    stations: placed,
    lines: stations.flatMap(({ id, needs }) => needs.map((from) => ({ from, to: id }))),
    columns: Math.max(0, ...placed.map(({ column }) => column + 1)),
    rows: Math.max(0, ...placed.map(({ row }) => row + 1)),
  };
}

/** The longest way from a beginning. Steps in a circle, which no check lets through, stand at 0. */
function columnsOf(stations: readonly Station[]): Map<string, number> {
  const byId = new Map(stations.map((station) => [station.id, station]));
  const columns = new Map<string, number>();
  const columnOf = (id: string, path: ReadonlySet<string>): number => {
    const known = columns.get(id);
    if (known !== undefined) return known;
    if (path.has(id)) return 0;
    const needs = byId.get(id)?.needs ?? [];
    const column = Math.max(-1, ...needs.map((need) => columnOf(need, new Set([...path, id])))) + 1;
    columns.set(id, column);
    return column;
  };
  for (const { id } of stations) columnOf(id, new Set());
  return columns;
}

/** Each as near to what it needs as its neighbours let it. */
function placeColumn(column: readonly Station[], rows: Map<string, number>): void {
  const wished = column.map((station) => {
    const above = station.needs.map((need) => rows.get(need) ?? 0);
    const wish = above.length === 0 ? 0 : above.reduce((sum, row) => sum + row, 0) / above.length;
    return { station, wish };
  });
  const taken = new Set<number>();
  for (const { station, wish } of wished.toSorted((a, b) => a.wish - b.wish)) {
    let row = Math.round(wish);
    while (taken.has(row)) row += 1;
    taken.add(row);
    rows.set(station.id, row);
  }
}
