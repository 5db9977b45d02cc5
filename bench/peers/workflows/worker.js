/** W1 on Cloudflare Workflows: one instance for each event that matches, one step that delivers. */
import { WorkflowEntrypoint } from 'cloudflare:workers';

/** The platform takes 100 instances in one call. */
const BATCH_MAX = 100;
const RULES = Array.from({ length: 20 }, (_, n) => (n === 0 ? 10_000 : 10_000_000 + n));

export class Deliver extends WorkflowEntrypoint {
  async run(event, step) {
    await step.do('deliver', async () => {
      const answer = await fetch(this.env.SINK, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id: event.payload.id }),
      });
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`the sink answered ${answer.status}`);
    });
  }
}

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    const body = await request.json();
    return pathname === '/status' ? status(env, body) : admit(env, body);
  },
};

async function admit(env, body) {
  const matching = [body]
    .flat()
    .filter(({ data }) => RULES.some((least) => data.order.total.amount > least))
    .map((event) => ({ id: event.id, params: { id: event.id } }));
  if (matching.length === 1) await env.DELIVER.create(matching[0]);
  else
    for (let from = 0; from < matching.length; from += BATCH_MAX)
      await env.DELIVER.createBatch(matching.slice(from, from + BATCH_MAX));
  return Response.json({ taken: matching.length }, { status: 202 });
}

async function status(env, ids) {
  const states = await Promise.all(
    ids.map(async (id) => (await (await env.DELIVER.get(id)).status()).status),
  );
  return Response.json({ succeeded: states.filter((state) => state === 'complete').length });
}
