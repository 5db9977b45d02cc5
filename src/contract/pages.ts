/** Pages by key: the rows after one, in the list's order, so that new rows move no page. */

export interface Page {
  /** 1 to 200 */
  readonly limit: number;
  /** The last row's key of the page before; null for the first page. */
  readonly after: string | null;
}

export interface Paged<Item> {
  readonly items: Item[];
  /** The key to go on after; null when this was the last page. */
  readonly next: string | null;
}

/** Rows were read with `limit + 1`: the one too many tells that there is a next page. */
export function paged<Row, Item>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => string,
  itemOf: (row: Row) => Item,
): Paged<Item> {
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  return {
    items: kept.map(itemOf),
    next: rows.length > limit && last !== undefined ? keyOf(last) : null,
  };
}
