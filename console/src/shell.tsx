/** What is around every page: the way to the others, who is here, and whether the server is. */
import { useQuery } from '@tanstack/preact-query';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Link, useLocation } from 'wouter-preact';
import { paths } from './address.ts';
import { lists } from './api/routes.ts';
import { signOut } from './api/session.ts';
import { useCaller } from './caller.ts';
import { KeyHelp } from './keys/help.tsx';
import { useShortcuts } from './keys/shortcuts.ts';
import { live } from './live/live.ts';
import { useContact } from './live/queries.ts';
import { Lamps } from './sign-in.tsx';
import { common, keyWords, shell } from './strings/common.ts';
import { setTheme, THEMES, themeNow } from './theme.ts';
import { CloseIcon, MenuIcon } from './ui/icons.tsx';
import { timeText } from './ui/text.ts';

const PAGES = [
  ['overview', paths.overview, 'o'],
  ['inbox', paths.inbox, 'i'],
  ['runs', paths.runs, 'r'],
  ['workflows', paths.workflows, 'w'],
  ['events', paths.events, 'e'],
  ['audit', paths.audit, 'a'],
  ['settings', paths.settings, 's'],
] as const;

export function Shell({
  children,
  onSignedOut,
}: {
  children: ComponentChildren;
  onSignedOut: () => void;
}) {
  const [location, navigate] = useLocation();
  const [isHelpOpen, setIsHelpOpen] = useState(false);
  const [isMenuOpen, setIsMenuOpen] = useState(false);
  useShortcuts([
    { keys: '/', what: keyWords.search, act: focusSearch, isEverywhere: true },
    { keys: '?', what: keyWords.help, act: () => setIsHelpOpen(true), isEverywhere: true },
    ...PAGES.map(([name, path, key]) => ({
      keys: `g ${key}`,
      what: keyWords.goTo(shell.pages[name]),
      act: () => navigate(path),
      isEverywhere: true,
    })),
  ]);
  useNewPage(location, () => setIsMenuOpen(false));
  const leave = async () => {
    await signOut();
    onSignedOut();
  };
  return (
    <div class={isMenuOpen ? 'shell menu-open' : 'shell'}>
      <a class="skip" href="#main">
        {shell.skip}
      </a>
      <header class="side">
        <Link href={paths.overview} class="brand">
          <Lamps />
          {common.product}
        </Link>
        <button
          type="button"
          class="plain menu-button"
          aria-expanded={isMenuOpen}
          aria-controls="pages"
          aria-label={shell.menu}
          onClick={() => setIsMenuOpen(!isMenuOpen)}
        >
          {isMenuOpen ? <CloseIcon /> : <MenuIcon />}
        </button>
        <div id="pages" class="side-body">
          <nav aria-label={shell.nav}>
            <ul>
              {PAGES.map(([name, path]) => (
                <li key={name}>
                  <Link
                    href={path}
                    aria-current={isAt(location, path) ? 'page' : undefined}
                    class="nav-link"
                  >
                    {shell.pages[name]}
                    {name === 'inbox' ? <Waiting /> : null}
                  </Link>
                </li>
              ))}
            </ul>
          </nav>
          <Who onHelp={() => setIsHelpOpen(true)} onLeave={() => void leave()} />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <ContactLine />
      {isHelpOpen ? <KeyHelp onClose={() => setIsHelpOpen(false)} /> : null}
    </div>
  );
}

/** How many approvals wait for the caller; asked for here, so that every page and the title know. */
function Waiting() {
  const { data } = useQuery({
    queryKey: ['inbox', 'mine'],
    queryFn: ({ signal }) => lists.approvals({ mine: 'true', limit: 100 }, signal),
    ...live('inbox'),
  });
  const count = data?.items.length ?? 0;
  const text = data?.nextCursor == null ? String(count) : `${count}+`;
  useEffect(() => {
    document.title = count === 0 ? common.product : `(${text}) ${common.product}`;
  }, [count, text]);
  return (
    <>
      {count === 0 ? null : (
        <span class="count" aria-hidden="true">
          {text}
        </span>
      )}
      <span class="unseen" role="status">
        {count === 0 ? '' : shell.waiting(text)}
      </span>
    </>
  );
}

function Who({ onHelp, onLeave }: { onHelp: () => void; onLeave: () => void }) {
  const { tenant, actor, role } = useCaller();
  const [theme, choose] = useState(themeNow);
  return (
    <div class="who">
      <p>
        <strong>{tenant.name}</strong>
      </p>
      <p class="quiet small">
        {actor.name}, {shell.roles[role]}
      </p>
      <label class="theme">
        <span>{shell.theme.label}</span>
        <select
          value={theme}
          onChange={({ currentTarget }) => {
            const chosen = THEMES.find((one) => one === currentTarget.value) ?? 'system';
            setTheme(chosen);
            choose(chosen);
          }}
        >
          {THEMES.map((one) => (
            <option key={one} value={one}>
              {shell.theme[one]}
            </option>
          ))}
        </select>
      </label>
      <p class="who-actions">
        <button type="button" class="link" onClick={onHelp}>
          {shell.shortcuts} <kbd>?</kbd>
        </button>
        <button type="button" class="link" onClick={onLeave}>
          {shell.signOut}
        </button>
      </p>
    </div>
  );
}

/** Lies over the page's end, so that nothing moves when the server goes away. */
function ContactLine() {
  const { isOffline, lastAt } = useContact();
  return (
    <p class={isOffline ? 'contact' : 'unseen'} role="status">
      {isOffline
        ? common.offline(lastAt === null ? null : timeText(new Date(lastAt).toISOString()))
        : ''}
    </p>
  );
}

function isAt(location: string, path: string): boolean {
  return path === '/' ? location === '/' : location === path || location.startsWith(`${path}/`);
}

function focusSearch(): void {
  const field = document.querySelector('main input[type="search"]');
  if (field instanceof HTMLElement) field.focus();
}

/** Whoever follows a link by keyboard or ear is at the new page's beginning. */
function useNewPage(location: string, onNew: () => void): void {
  const before = useRef(location);
  useEffect(() => {
    const [page, was] = [location, before.current].map((path) => path.split('/')[1]);
    before.current = location;
    if (page === was) return;
    onNew();
    document.getElementById('main')?.focus({ preventScroll: true });
  }, [location]);
}
