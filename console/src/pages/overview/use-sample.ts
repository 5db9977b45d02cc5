/** The newest rows of a list, as many as can be counted here. The server will count all of them. */
import { useQuery } from '@tanstack/preact-query';
import type { List } from '../../api/routes.ts';
import { live } from '../../live/live.ts';

const PAGE = 200;

export function useSample<Row>(
  name: string,
  fetch: (
    query: { limit: number; cursor: string | null },
    signal?: AbortSignal,
  ) => Promise<List<Row>>,
  pages: number,
): readonly Row[] | undefined {
  return useQuery({
    queryKey: ['sample', name],
    queryFn: async ({ signal }) => {
      const rows: Row[] = [];
      let cursor: string | null = null;
      for (let page = 0; page < pages; page += 1) {
        const list: List<Row> = await fetch({ limit: PAGE, cursor }, signal);
        rows.push(...list.items);
        cursor = list.nextCursor;
        if (cursor === null) break;
      }
      return rows;
    },
    ...live('slow'),
  }).data;
}
