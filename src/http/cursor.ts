/** Cursors: opaque to callers, and good for the list that gave them alone. */

import { type Page, type Paged, paged } from '../contract/pages.ts';
import { type Refusal, refusal } from '../contract/problems.ts';

const KEY = /^[\x20-\x7e]{1,300}$/;

export function encodeCursor(list: string, key: string): string {
  return btoa(`${list}|${encodeURIComponent(key)}`)
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function decodeCursor(list: string, cursor: string): string | null {
  try {
    const [name, key = ''] = atob(cursor.replaceAll('-', '+').replaceAll('_', '/')).split('|');
    return name === list && KEY.test(key) && encodeCursor(list, decodeURIComponent(key)) === cursor
      ? decodeURIComponent(key)
      : null;
  } catch {
    return null;
  }
}

/** The page that a query asks for; `list` is the name that its cursors carry. */
export function pageOf(
  list: string,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
  keyForm: RegExp = KEY,
): Page | Refusal {
  if (cursor === undefined) return { limit, after: null };
  const after = decodeCursor(list, cursor);
  return after === null || !keyForm.test(after)
    ? refusal('invalid_cursor', 'Use nextCursor of this list as it was answered.')
    : { limit, after };
}

/** A list's answer, but for its `requestId`. */
export function listAnswer<Item>(list: string, { items, next }: Paged<Item>) {
  return { items, nextCursor: next === null ? null : encodeCursor(list, next) };
}

/** A list that an object keeps, newest id first: one row too many is asked for, as `paged` wants. */
export async function listFromObject<Item extends { readonly id: string }>(
  list: string,
  query: { limit: number; cursor?: string | undefined },
  read: (page: Page) => Promise<readonly Item[]>,
): Promise<Refusal | { body: ReturnType<typeof listAnswer<Item>> }> {
  const page = pageOf(list, query);
  if ('ok' in page) return page;
  const { limit, after } = page;
  const rows = await read({ limit: limit + 1, after });
  const answer = paged(
    rows,
    limit,
    ({ id }) => id,
    (item) => item,
  );
  return { body: listAnswer(list, answer) };
}
