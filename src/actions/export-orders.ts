/** `export.orders`: writes the tenant's orders into a file that can be downloaded. */
import * as z from 'zod';
import { defineAction } from './define.ts';

const time = z.iso.datetime({ offset: true, error: 'an RFC 3339 time' });

export const exportOrders = defineAction({
  name: 'export.orders',
  summary: 'Export orders to a CSV or NDJSON file',
  risk: 'bulk',
  timeoutMs: 25_000,
  input: z.strictObject({
    from: time.optional().describe('Orders created at this time or later'),
    to: time.optional().describe('Orders created before this time'),
    format: z.enum(['csv', 'ndjson']),
  }),
  describe: ({ from, to, format }) => {
    const since = from === undefined ? '' : ` from ${from}`;
    const until = to === undefined ? '' : ` until ${to}`;
    const which = since === '' && until === '' ? 'all orders' : `the orders${since}${until}`;
    return `Export ${which} as ${format.toUpperCase()}`;
  },
  run: (request, { ports, call }) => ports.exports.exportOrders(call, request),
});
