/**
 * The bench's work on Cloudflare Workflows. W1: one instance for each event that matches, one step
 * that delivers. Decisions: an instance waits for an event, then delivers.
 */
import { WorkflowEntrypoint } from 'cloudflare:workers';

/** The platform takes 100 instances in one call. */
const BATCH_MAX = 100;
const RULES = Array.from({ length: 20 }, (_, n) => (n === 0 ? 10_000 : 10_000_000 + n));

export class Deliver extends WorkflowEntrypoint {
  async run({ payload }, step) {
    await step.do('deliver', () => deliver(this.env.SINK, payload.id));
  }
}

export class Gated extends WorkflowEntrypoint {
  async run({ payload }, step) {
    await step.waitForEvent('wait', { type: 'decided', timeout: '1 hour' });
    await step.do('deliver', () => deliver(this.env.SINK, payload.id));
  }
}

async function deliver(sink, id) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(sink, { method: 'POST', headers, body: JSON.stringify({ id }) });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`the sink answered ${answer.status}`);
}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const body = await request.json();
    if (pathname === '/orders') return await admit(env.DELIVER, body);
    if (pathname === '/gated') return await start(env.GATED, body);
    if (pathname === '/decide') return await decide(env.GATED, body.id);
    const workflow = searchParams.get('kind') === 'orders' ? env.DELIVER : env.GATED;
    return await complete(workflow, body);
  },
};

async function admit(workflow, body) {
  const matching = [body]
    .flat()
    .filter(({ data }) => RULES.some((least) => data.order.total.amount > least));
  return await start(
    workflow,
    matching.map(({ id }) => id),
  );
}

async function start(workflow, ids) {
  const instances = ids.map((id) => ({ id, params: { id } }));
  if (instances.length === 1) await workflow.create(instances[0]);
  else
    for (let from = 0; from < instances.length; from += BATCH_MAX)
      await workflow.createBatch(instances.slice(from, from + BATCH_MAX));
  return Response.json({ taken: ids.length }, { status: 202 });
}

async function decide(workflow, id) {
  const instance = await workflow.get(id);
  await instance.sendEvent({ type: 'decided', payload: {} });
  return Response.json({ id });
}

/** Which of the instances are complete. */
async function complete(workflow, ids) {
  const found = await Promise.all(
    ids.map(async (id) => {
      const { status } = await (await workflow.get(id)).status();
      return status === 'complete' ? [id] : [];
    }),
  );
  return Response.json(found.flat());
}
