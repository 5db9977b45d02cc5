/**
 * The bench's work on Restate, as its documentation writes services. W1: an invocation for each
 * event, with the event's id as idempotency key; one durable step delivers. Many events in a request:
 * an invocation that sends them on, one way. Decisions: a workflow waits for a durable promise.
 */
import * as restate from '@restatedev/restate-sdk';

const [port, sink] = process.argv.slice(2);
const RULES = Array.from({ length: 20 }, (_, n) => (n === 0 ? 10_000 : 10_000_000 + n));

async function deliver(id) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(sink, { method: 'POST', headers, body: JSON.stringify({ id }) });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`the sink answered ${answer.status}`);
}

const orders = restate.service({
  name: 'orders',
  handlers: {
    created: async (ctx, { id, data }) => {
      if (!RULES.some((least) => data.order.total.amount > least)) return;
      await ctx.run('deliver', () => deliver(id));
    },
    batch: async (ctx, events) => {
      const one = ctx.serviceSendClient(orders);
      for (const event of events)
        one.created(event, restate.rpc.sendOpts({ idempotencyKey: event.id }));
    },
  },
});

const gated = restate.workflow({
  name: 'gated',
  handlers: {
    run: async (ctx) => {
      await ctx.promise('decided');
      await ctx.run('deliver', () => deliver(ctx.key));
    },
    decide: async (ctx) => {
      await ctx.promise('decided').resolve(true);
    },
  },
});

await restate.serve({ services: [orders, gated], port: Number(port) });
console.log('ready');
