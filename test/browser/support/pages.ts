/** Every page of the console: its address in a shop, and what is on it once it has come. */
import type { Shop } from './shop.ts';

export interface ShopPage {
  /** As its pictures are named. */
  readonly name: string;
  readonly addressOf: (ids: Shop['ids']) => string;
  readonly shown: string;
}

export const PAGES: readonly ShopPage[] = [
  { name: 'overview', addressOf: () => '/', shown: 'How runs end' },
  {
    name: 'inbox',
    addressOf: ({ approval }) => `/inbox/${approval}?view=pending`,
    shown: 'Hash of the inputs',
  },
  { name: 'inbox-denied', addressOf: () => '/inbox?view=denied', shown: 'It came on time' },
  { name: 'runs', addressOf: () => '/runs', shown: 'Large orders' },
  { name: 'run', addressOf: ({ run }) => `/runs/${run}`, shown: 'Seen the pictures' },
  { name: 'step', addressOf: ({ run }) => `/runs/${run}?step=refund`, shown: 'Output' },
  { name: 'workflows', addressOf: () => '/workflows', shown: 'Orders from a reseller' },
  { name: 'editor', addressOf: ({ workflow }) => `/workflows/${workflow}`, shown: 'No faults' },
  {
    name: 'versions',
    addressOf: ({ workflow }) => `/workflows/${workflow}/versions`,
    shown: 'lines are the same',
  },
  { name: 'events', addressOf: () => '/events', shown: 'order/1004' },
  { name: 'event', addressOf: ({ event }) => `/events/${event}`, shown: 'Orders from a reseller' },
  { name: 'audit', addressOf: () => '/audit', shown: 'workflow.created' },
  { name: 'audit-entry', addressOf: () => '/audit/2', shown: 'It fits' },
  { name: 'keys', addressOf: () => '/settings', shown: 'ingest' },
  { name: 'members', addressOf: () => '/settings/members', shown: 'ann@example.com' },
  { name: 'connections', addressOf: () => '/settings/connections', shown: 'webhook' },
  { name: 'policy', addressOf: () => '/settings/policy', shown: 'order.refund' },
  { name: 'limits', addressOf: () => '/settings/limits', shown: 'events' },
  { name: 'destinations', addressOf: () => '/settings/destinations', shown: '127.0.0.1' },
  {
    name: 'delivery',
    addressOf: ({ delivery }) => `/settings/destinations/deliveries/${delivery}`,
    shown: 'order.created',
  },
  { name: 'privacy', addressOf: () => '/settings/privacy', shown: 'Erase' },
  { name: 'not-here', addressOf: () => '/nowhere', shown: 'Not here' },
];
