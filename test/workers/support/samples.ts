/** Bodies that are right, for the tests that make one thing wrong with them. */
import { isJsonObject, type Json, type JsonObject } from '../../../src/contract/json.ts';
import { EXAMPLE_BODIES } from '../../../src/http/docs-examples.ts';
import type { Route } from '../../../src/http/route.ts';
import { textAt } from './answers.ts';
import type { Tenant } from './api.ts';

/** A right body of a route that takes one. The page's examples serve: a test keeps them right. */
export function bodyFor({ path }: Route): JsonObject {
  const body = EXAMPLE_BODIES[path];
  if (!isJsonObject(body)) throw new Error(`${path} has no example body`);
  return body;
}

/** A workflow of one step that is done at once and asks nobody. */
export function tagWorkflow(more: JsonObject = {}): JsonObject {
  return {
    name: 'Tag orders',
    trigger: { event: 'order.created' },
    steps: [
      {
        id: 'tag',
        action: 'tag.order',
        with: { orderId: '{{ event.data.order.id }}', tag: 'new' },
      },
    ],
    enabled: true,
    ...more,
  };
}

/** A workflow that waits for one approval. */
export function flagWorkflow(more: JsonObject = {}): JsonObject {
  return tagWorkflow({
    name: 'Switch a flag',
    steps: [{ id: 'on', action: 'flag.enable', with: { key: 'sale' } }],
    ...more,
  });
}

/** An `order.created` event; `more` are further attributes. */
export function orderEvent(orderId = '1001', more: JsonObject = {}): JsonObject {
  const order = { id: orderId, total: { amount: 9900, currency: 'USD' } };
  return { type: 'order.created', data: { order }, ...more };
}

export function customEvent(data: Json = {}, more: JsonObject = {}): JsonObject {
  return { type: 'custom.thing', data, ...more };
}

/** Makes a workflow and answers its id. */
export async function createWorkflow(tenant: Tenant, body: Json): Promise<string> {
  return textAt(await tenant.post('/api/admin/workflows/create', body), 'workflow.id');
}

/** A run that an order event has started; the tenant has a workflow for it. */
export async function startRun(tenant: Tenant, orderId = '1001'): Promise<string> {
  return textAt(await tenant.events(orderEvent(orderId)), 'events.0.runs.0');
}
