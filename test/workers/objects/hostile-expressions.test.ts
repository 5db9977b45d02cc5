/**
 * Expressions that would take for ever stop at the cost limit: with the reason on the event, or as an
 * error of the run. The tenant's other workflows, its next events and other tenants go on meanwhile.
 */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { JsonObject } from '../../../src/contract/json.ts';
import { findEvent } from '../../../src/db/events.ts';
import { ended, quiet } from './support/history.ts';
import { Receiver } from './support/receiver.ts';
import { addWorkflow, hook, openShop, send, setPolicy, startOne } from './support/shop.ts';

const receiver = new Receiver();
beforeEach(() => receiver.listen());
afterEach(() => void vi.restoreAllMocks());

const list = Array.from({ length: 2_000 }, (_, index) => index);
const DATA: JsonObject = {
  list,
  text: 'a'.repeat(100_000),
  needle: `${'a'.repeat(30_000)}b`,
  small: 1,
};

const TREES = `[1]${'.map(a, [a, a])'.repeat(30)}`;

/** What would take hours, gigabytes, or a stack without end. */
const HOSTILE: readonly (readonly [string, string])[] = [
  ['a cross product', 'event.data.list.all(x, event.data.list.all(y, x + y > -1))'],
  ['one behind an or', 'event.data.list.exists(x, event.data.list.exists(y, x < 0)) || true'],
  ['a text that doubles', `["x"]${'.map(a, a + a)'.repeat(30)} == ["x"]`],
  ['trees that double', `${TREES} == ${TREES}`],
  ['backtracking', 'glob(event.data.text, "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b")'],
  ['searches in a loop', 'event.data.list.all(x, event.data.text.contains(event.data.needle))'],
];
const TOO_MUCH = /takes too much work: more than \d+ steps/;

test('as triggers they start nothing, say why, and keep no other workflow from starting', async () => {
  const shop = await openShop();
  const url = receiver.address();
  const costly: string[] = [];
  for (const [, source] of [...HOSTILE, ...HOSTILE, ...HOSTILE]) {
    const { id } = await addWorkflow(shop, [hook('never', url)], 'custom.go', source);
    costly.push(id);
  }
  const small = await addWorkflow(shop, [hook('tell', url)], 'custom.go', 'event.data.small == 1');
  const taken = await send(shop, { data: DATA });
  expect(taken.runs).toHaveLength(1);
  await ended(shop, taken.runs[0] ?? '');
  expect(receiver.at(url)).toHaveLength(1);
  await quiet(shop);
  const matches = (await findEvent(env.DB, shop, taken.id))?.matches ?? [];
  for (const { workflowId, matched, reason } of matches) {
    expect(matched, reason).toBe(workflowId === small.id);
    if (costly.includes(workflowId)) expect(reason).toMatch(TOO_MUCH);
  }
});

test.each(HOSTILE)(
  '%s fails the step that has it, and the run says where',
  async (_what, source) => {
    const shop = await openShop();
    const step = { ...hook('send', receiver.address()), if: source };
    await addWorkflow(shop, [step]);
    const failed = await ended(shop, await startOne(shop, { data: DATA }));
    expect(failed.status).toBe('failed');
    expect(failed.error?.message).toMatch(TOO_MUCH);
  },
);

test('in a template and in a policy they fail the step as well', async () => {
  const shop = await openShop();
  const [, [, source] = ['', '']] = HOSTILE;
  await addWorkflow(shop, [hook('send', receiver.address(), { with: { url: `{{ ${source} }}` } })]);
  const templated = await ended(shop, await startOne(shop, { data: DATA }));
  expect(templated.error?.message).toMatch(TOO_MUCH);
  const when = [{ if: 'event.data.list.all(x, event.data.list.all(y, x + y > -1))', approvals: 2 }];
  await setPolicy(shop, { 'flag.enable': { when } });
  const flag = { id: 'on', action: 'flag.enable', with: { key: 'beta' } };
  await addWorkflow(shop, [flag], 'custom.flag');
  const gated = await startOne(shop, { type: 'custom.flag', data: DATA });
  expect((await ended(shop, gated)).error?.message).toMatch(TOO_MUCH);
});

test("another tenant's run ends while events of the first one are being taken", async () => {
  const hostile = await openShop();
  for (const [, source] of HOSTILE)
    await addWorkflow(hostile, [hook('never', receiver.address())], 'custom.go', source);
  const other = await openShop();
  const url = receiver.address();
  await addWorkflow(other, [hook('tell', url)]);
  const storm = Promise.all(Array.from({ length: 40 }, () => send(hostile, { data: DATA })));
  const taken = await send(other);
  expect((await ended(other, taken.runs[0] ?? '')).status).toBe('succeeded');
  for (const { runs } of await storm) expect(runs).toEqual([]);
});
