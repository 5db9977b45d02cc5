/** What does not change while somebody looks: asked for once. */
import { useQuery } from '@tanstack/preact-query';
import { type Catalog, lists, one } from '../api/routes.ts';

export function useCatalog(): Catalog | undefined {
  return useQuery({
    queryKey: ['catalog'],
    queryFn: one.catalog,
    staleTime: Number.POSITIVE_INFINITY,
  }).data;
}

/** Names of workflows by id, of the newest two hundred. */
export function useWorkflowNames(): ReadonlyMap<string, string> {
  const { data } = useQuery({
    queryKey: ['workflows', 'names'],
    queryFn: ({ signal }) => lists.workflows({ limit: 200 }, signal),
    staleTime: 60_000,
  });
  return new Map((data?.items ?? []).map(({ id, name }) => [id, name]));
}
