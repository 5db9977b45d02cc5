/** Which page is at which address. Each is loaded when it is first gone to. */
import { QueryClientProvider } from '@tanstack/preact-query';
import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Route, Switch } from 'wouter-preact';
import type { Session } from '../../src/contract/session.ts';
import { onSignedOut, Problem } from './api/client.ts';
import { whoAmI } from './api/session.ts';
import { CallerContext } from './caller.ts';
import { ErrorBoundary } from './error-boundary.tsx';
import { queries } from './live/queries.ts';
import { listen } from './live/socket.ts';
import { Shell } from './shell.tsx';
import { SignIn } from './sign-in.tsx';
import { common } from './strings/common.ts';
import { PageHead } from './ui/page.tsx';
import { ErrorPanel, Loading } from './ui/states.tsx';

/** Pages take what they need from the address. */
type Page = FunctionComponent;

/** Loaded once, and kept. */
function later(load: () => Promise<Page>): Page {
  let page: Page | null = null;
  return function Later() {
    const [Loaded, setLoaded] = useState(() => page);
    const [error, setError] = useState<Error | null>(null);
    useEffect(() => {
      if (Loaded !== null) return;
      load().then(
        (loaded) => {
          page = loaded;
          setLoaded(() => loaded);
        },
        (failure: Error) => setError(failure),
      );
    }, [Loaded]);
    if (error !== null) return <ErrorPanel error={error} retry={() => location.reload()} />;
    return Loaded === null ? <Loading /> : <Loaded />;
  };
}

const PAGES: readonly (readonly [string, Page])[] = [
  ['/', later(async () => (await import('./pages/overview/page.tsx')).OverviewPage)],
  ['/inbox/:id?', later(async () => (await import('./pages/inbox/page.tsx')).InboxPage)],
  ['/runs', later(async () => (await import('./pages/runs/list.tsx')).RunsPage)],
  ['/runs/:id', later(async () => (await import('./pages/runs/page.tsx')).RunPage)],
  ['/workflows', later(async () => (await import('./pages/workflows/list.tsx')).WorkflowsPage)],
  [
    '/workflows/:id/versions',
    later(async () => (await import('./pages/workflows/versions.tsx')).VersionsPage),
  ],
  ['/workflows/:id', later(async () => (await import('./pages/workflows/editor.tsx')).EditorPage)],
  ['/events', later(async () => (await import('./pages/events/list.tsx')).EventsPage)],
  ['/events/:id', later(async () => (await import('./pages/events/page.tsx')).EventPage)],
  ['/audit', later(async () => (await import('./pages/audit/list.tsx')).AuditPage)],
  ['/audit/:seq', later(async () => (await import('./pages/audit/page.tsx')).AuditEntryPage)],
  [
    '/settings/destinations/deliveries/:id',
    later(async () => (await import('./pages/settings/delivery.tsx')).DeliveryPage),
  ],
  ['/settings/:part?', later(async () => (await import('./pages/settings/page.tsx')).SettingsPage)],
];

function NotHere() {
  return (
    <>
      <PageHead title={common.notFound} />
      <p>{common.notFoundHow}</p>
    </>
  );
}

type Door =
  | { readonly state: 'asking' | 'ended' | 'out' | 'tenant' }
  | { readonly state: 'broken'; readonly error: Error };

export function App() {
  const [session, setSession] = useState<Session | null>(null);
  const [door, setDoor] = useState<Door>({ state: 'asking' });
  const ask = () => {
    setDoor({ state: 'asking' });
    whoAmI().then(
      (known) => {
        setSession(known);
        setDoor({ state: 'out' });
      },
      (error: Error) =>
        setDoor(
          error instanceof Problem && error.code === 'tenant_needed'
            ? { state: 'tenant' }
            : { state: 'broken', error },
        ),
    );
  };
  useEffect(ask, []);
  useEffect(
    () =>
      onSignedOut(() => {
        setSession(null);
        setDoor({ state: 'ended' });
      }),
    [],
  );
  const isIn = session !== null;
  useEffect(() => (isIn ? listen() : undefined), [isIn]);
  const leave = () => {
    queries.clear();
    setSession(null);
    setDoor({ state: 'out' });
  };
  if (session === null) {
    if (door.state === 'broken')
      return (
        <main class="sign-in">
          <ErrorPanel error={door.error} retry={ask} />
        </main>
      );
    if (door.state === 'asking') return <p class="unseen">{common.loading}</p>;
    return (
      <SignIn
        hasEnded={door.state === 'ended'}
        needsTenant={door.state === 'tenant'}
        onSignedIn={(known) => {
          queries.clear();
          setSession(known);
        }}
      />
    );
  }
  return (
    <QueryClientProvider client={queries}>
      <CallerContext.Provider value={session}>
        <Shell onSignedOut={leave}>
          <ErrorBoundary>
            <Switch>
              {PAGES.map(([path, Page]) => (
                <Route key={path} path={path}>
                  <Page />
                </Route>
              ))}
              <Route>
                <NotHere />
              </Route>
            </Switch>
          </ErrorBoundary>
        </Shell>
      </CallerContext.Provider>
    </QueryClientProvider>
  );
}
