/** Addresses of the console's pages, and filters that live in the address bar. */
import { useLocation, useSearch } from 'wouter-preact';

export const paths = {
  overview: '/',
  inbox: '/inbox',
  approval: (id: string) => `/inbox/${id}`,
  runs: '/runs',
  run: (id: string, step?: string) => `/runs/${id}${step === undefined ? '' : `?step=${step}`}`,
  workflows: '/workflows',
  workflow: (id: string) => `/workflows/${id}`,
  workflowVersions: (id: string) => `/workflows/${id}/versions`,
  workflowVersion: (id: string, version: number) => `/workflows/${id}/versions?new=${version}`,
  newWorkflow: '/workflows/new',
  events: '/events',
  event: (id: string) => `/events/${id}`,
  audit: '/audit',
  auditEntry: (seq: number) => `/audit/${seq}`,
  settings: '/settings',
  setting: (part: string) => `/settings/${part}`,
  delivery: (id: string) => `/settings/destinations/deliveries/${id}`,
} as const;

/** A list's address with a filter already in it. */
export function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  return `${path}?${new URLSearchParams(query)}`;
}

/** Filters by name; setting one replaces the address, so that back leads out of the list. */
export function useFilter<Name extends string>(names: readonly Name[]) {
  const [path, navigate] = useLocation();
  const search = new URLSearchParams(useSearch());
  const filter: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const value = search.get(name);
    if (value !== null && value !== '') filter[name] = value;
  }
  const set = (change: Partial<Record<Name, string>>) => {
    const next = new URLSearchParams(search);
    for (const [name, value] of Object.entries<string | undefined>(change))
      if (value === undefined || value === '') next.delete(name);
      else next.set(name, value);
    const text = next.toString();
    navigate(text === '' ? path : `${path}?${text}`, { replace: true });
  };
  return { filter, set };
}
