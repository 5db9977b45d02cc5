/** `export.orders`: writes the tenant's orders into a file that can be downloaded. */
import * as z from 'zod';
import { timestamp } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { defineAction } from './define.ts';

export const exportOrders = defineAction({
  name: 'export.orders',
  summary: 'Export orders to a CSV or NDJSON file',
  risk: 'bulk',
  timeoutMs: 25_000,
  // Some three quarters of an hour in which the database or the bucket may be away.
  retry: { attempts: 10 },
  input: later(() =>
    z
      .strictObject({
        from: timestamp.optional().describe('Orders created at this time or later'),
        to: timestamp.optional().describe('Orders created before this time'),
        format: z.enum(['csv', 'ndjson']),
      })
      .refine(({ from = '', to = '~' }) => from < to, { path: ['to'], error: 'later than from' }),
  ),
  describe: ({ from, to, format }) => {
    const since = from === undefined ? '' : ` from ${timeText(from)}`;
    const until = to === undefined ? '' : ` until ${timeText(to)}`;
    const which = since === '' && until === '' ? 'all orders' : `the orders${since}${until}`;
    return `Export ${which} as ${format.toUpperCase()}`;
  },
  run: (request, { ports, call }) => ports.exports.exportOrders(call, request),
});

function timeText(utc: string): string {
  return utc.replace('.000Z', 'Z');
}
