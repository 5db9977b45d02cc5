/** A setting's list as it is asked for and shown: whole, with its empty, loading and error states. */
import { useQuery } from '@tanstack/preact-query';
import type { ComponentChildren } from 'preact';
import type { List } from '../../api/routes.ts';
import { live } from '../../live/live.ts';
import { Empty, ErrorPanel, Loading } from '../../ui/states.tsx';

export function useSettingList<Item>(
  name: string,
  fetch: (query: { limit: number }, signal?: AbortSignal) => Promise<List<Item>>,
) {
  return useQuery({
    queryKey: ['settings', name],
    queryFn: ({ signal }) => fetch({ limit: 200 }, signal),
    ...live('slow'),
  });
}

export function ListState<Item>({
  query: { data, error, refetch },
  empty,
  children,
}: {
  query: ReturnType<typeof useSettingList<Item>>;
  empty: string;
  children: (items: readonly Item[]) => ComponentChildren;
}) {
  if (error !== null && data === undefined)
    return <ErrorPanel error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Loading />;
  return data.items.length === 0 ? <Empty title={empty} /> : children(data.items);
}
