/** What `npm start` says when everything runs. Each curl line works as pasted, again and again. */
import { randomBytes } from 'node:crypto';

/** @param {string} origin @param {import('./state.mjs').State} state */
export function welcomeText(origin, state) {
  return `
Signalbox is running. Ctrl-C ends it.

  Console    ${origin}/ (sign in by one of the keys below)
  API        ${origin}/api
  API docs   ${origin}/api/docs
  State      ${state.dir} (the platform token is in secrets.env there)`;
}

/** @param {string} origin @param {import('../demo.mjs').Demo} demo */
export function demoText(origin, { keys, tenantId }) {
  const order = `order-${randomBytes(3).toString('hex')}`;
  const bearer = (/** @type {string} */ key) => `-H 'Authorization: Bearer ${key}'`;
  const json = "-H 'Content-Type: application/json'";
  const runs = `${origin}/api/admin/workflow-runs`;
  const events = JSON.stringify([
    { type: 'order.created', data: { order: { id: order, total: usd(500_000), name: '#1042' } } },
    {
      type: 'custom.refund.requested',
      data: { orderId: order, amount: usd(60_000), reason: 'arrived broken' },
    },
  ]);
  const pending = `$(curl -s '${runs}?status=pending_approval&limit=1' ${bearer(keys.viewer)} | grep -o 'run_[0-9a-f-]*' | head -n 1)`;
  return `
Tenant "${tenantId}", keys by role:
${Object.entries(keys)
  .map(([role, key]) => `  ${role.padEnd(10)} ${key}`)
  .join('\n')}

Post a large order, and a refund of 600.00 that has to be approved:
curl -s ${origin}/api/events ${bearer(keys.ingest)} ${json} -d '${events}'

List the runs:
curl -s ${runs} ${bearer(keys.viewer)}

Approve the refund that waits:
curl -s ${runs}/approve ${bearer(keys.approver)} ${json} -d "{\\"runId\\":\\"${pending}\\"}"
`;
}

/** @param {number} amount in minor units */
function usd(amount) {
  return { amount, currency: 'USD' };
}
