/** What a new workflow begins as: small, sound, and showing how it is written. */
import type { JsonObject } from '../../../../src/contract/json.ts';
import { editorWords } from '../../strings/workflows.ts';

export const STARTER: JsonObject = {
  name: editorWords.starter,
  trigger: { event: 'order.created', if: 'event.data.order.total.amount > 10000' },
  steps: [
    {
      id: 'tag',
      action: 'tag.order',
      with: { orderId: '{{ event.data.order.id }}', tag: 'large-order' },
    },
  ],
};
