/** Words that are the same everywhere. All of the console's words are in this folder. */
import { countText } from '../ui/text.ts';

export const common = {
  product: 'Signalbox',
  loading: 'Loading',
  tryAgain: 'Try again',
  close: 'Close',
  cancel: 'Cancel',
  save: 'Save',
  more: 'More',
  none: 'none',
  open: 'Open',
  copy: (what: string) => `Copy ${what}`,
  copied: 'Copied',
  theError: 'the error',
  theId: 'the id',
  theTime: 'the time',
  unreachable: 'The server does not answer',
  unreachableHow: 'It is tried again by itself. What you see is as old as the line below says.',
  notFound: 'Not here',
  notFoundHow: 'There is no page at this address.',
  refused: 'The server refused',
  broken: 'This page broke',
  brokenHow: 'Load it again. If it breaks again, send us what the button copies.',
  items: (count: number) => (count === 1 ? '1 item' : `${countText(count)} items`),
  fields: (count: number) => (count === 1 ? '1 field' : `${countText(count)} fields`),
  andMore: (count: number) => `… and ${countText(count)} more`,
  offline: (since: string | null) =>
    since === null ? 'Offline.' : `Offline. What you see is from ${since}.`,
  newRows: (count: string) => `${count} new`,
  endOfList: 'That is all.',
  clearFilters: 'Clear filters',
  rows: 'rows',
} as const;

/** By status, of whatever has one. */
export const statusWords: Readonly<Record<string, string>> = {
  queued: 'Queued',
  pending: 'Pending',
  running: 'Running',
  waiting: 'Waiting',
  pending_approval: 'Needs a person',
  succeeded: 'Succeeded',
  approved: 'Approved',
  delivered: 'Delivered',
  failed: 'Failed',
  denied: 'Denied',
  expired: 'Expired',
  cancelled: 'Cancelled',
  skipped: 'Skipped',
  failing: 'Failing',
  disabled: 'Switched off',
};

export const shell = {
  nav: 'Pages',
  skip: 'To the content',
  menu: 'Menu',
  pages: {
    overview: 'Overview',
    inbox: 'Inbox',
    runs: 'Runs',
    workflows: 'Workflows',
    events: 'Events',
    audit: 'Audit',
    settings: 'Settings',
  },
  waiting: (count: string) => `${count} waiting for you`,
  theme: {
    label: 'Theme',
    system: 'System',
    light: 'Light',
    dark: 'Dark',
  },
  signOut: 'Sign out',
  shortcuts: 'Keys',
  roles: {
    viewer: 'viewer',
    approver: 'approver',
    admin: 'admin',
  },
} as const;

export const signInWords = {
  title: 'Sign in',
  key: 'API key',
  keyHint:
    'Begins with sbx_. The key of a viewer reads, an approver’s decides, an admin’s changes.',
  submit: 'Sign in',
  wrong: 'This key does not work. Was all of it copied, and is it still in use?',
  ingest: 'This key sends events and reads nothing. Sign in with another one.',
  ended: 'Your session has ended. Sign in to go on where you were.',
  kept: 'The key is kept in a cookie that no script can read, for 12 hours.',
  tenant: 'Tenant',
  tenantHint: 'You belong to several. Which one is it?',
} as const;

export const keyWords = {
  title: 'Keys',
  everywhere: 'Everywhere',
  here: 'On this page',
  search: 'Search',
  help: 'This list',
  next: 'Next',
  previous: 'Previous',
  open: 'Open',
  back: 'Back',
  goTo: (page: string) => `Go to ${page}`,
} as const;
