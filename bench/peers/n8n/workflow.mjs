/** The bench's work in n8n, as its editor would save it: webhook → IF → HTTP request. */
import { writeFileSync } from 'node:fs';

const [file, sink] = process.argv.slice(2);

const condition = {
  id: 'large',
  leftValue: '={{ $json.body.data.order.total.amount }}',
  rightValue: 10_000,
  operator: { type: 'number', operation: 'gt' },
};
const nodes = [
  {
    id: 'event',
    name: 'Event',
    type: 'n8n-nodes-base.webhook',
    typeVersion: 2,
    webhookId: 'bench-orders',
    // Answers before the workflow runs, as the other systems do.
    parameters: { httpMethod: 'POST', path: 'orders', responseMode: 'onReceived', options: {} },
  },
  {
    id: 'large',
    name: 'Large',
    type: 'n8n-nodes-base.if',
    typeVersion: 2.2,
    parameters: {
      conditions: {
        options: { caseSensitive: true, leftValue: '', typeValidation: 'strict', version: 2 },
        conditions: [condition],
        combinator: 'and',
      },
      options: {},
    },
  },
  {
    id: 'deliver',
    name: 'Deliver',
    type: 'n8n-nodes-base.httpRequest',
    typeVersion: 4.2,
    parameters: {
      method: 'POST',
      url: sink,
      sendBody: true,
      specifyBody: 'json',
      jsonBody: '={{ { id: $json.body.id } }}',
      options: {},
    },
  },
];
const to = (node) => ({ main: [[{ node, type: 'main', index: 0 }]] });

const workflow = {
  id: 'benchOrders',
  name: 'Orders',
  active: false,
  settings: { executionOrder: 'v1' },
  nodes: nodes.map((node, index) => ({ ...node, position: [index * 200, 0] })),
  connections: { Event: to('Large'), Large: to('Deliver') },
};
writeFileSync(file, JSON.stringify([workflow]));
