/** I3 at the last moment: what was approved is compared with what is about to be done. */
import { describe, expect, test } from 'vitest';
import { type Attempt, performAttempt } from '../../src/actions/attempt.ts';
import { approvalRule } from '../../src/contract/approvals.ts';
import { isJsonObject, type Json, type JsonObject } from '../../src/contract/json.ts';
import { type Binding, inputHash } from '../../src/engine/approval.ts';
import { type AttemptOutcome, bindingOf, type Outcome } from '../../src/engine/plan.ts';
import { type Ports, succeeded } from '../../src/ports/index.ts';
import { at, pay, planOf, policyRule } from './support/engine.ts';

/** Whatever ports there are: they do nothing but remember that they were asked. */
function fakePorts(): { ports: Ports; calls: string[] } {
  const calls: string[] = [];
  const does = (name: string) => async (): Promise<Outcome> => {
    calls.push(name);
    return succeeded({});
  };
  const port = new Proxy({}, { get: (_port, method) => does(String(method)) });
  const ports: Ports = new Proxy(JSON.parse('{}'), { get: () => port });
  return { ports, calls };
}

const plan = planOf([pay('a')]);
const INPUT = { orderId: '7', amount: { amount: 500, currency: 'EUR' }, reason: 'Broken.' };
const RULE = policyRule({
  approvals: 2,
  roles: ['approver'],
  members: ['m'],
  among: ['m', 'n'],
  onExpire: 'escalate',
  escalateTo: { roles: ['admin'], members: ['cfo'], expiresIn: '24h' },
  remindEvery: '4h',
});
const STEP = { id: 'a', action: 'order.refund' };
const BINDING = bindingOf(plan, STEP, INPUT, RULE, at('72h'));

const attempt = (approved: Attempt['approved'], input: JsonObject = INPUT): Attempt => ({
  action: STEP.action,
  input,
  event: plan.event,
  call: {
    tenantId: plan.tenant.id,
    runId: plan.runId,
    stepId: STEP.id,
    idempotencyKey: 'k',
    timeoutMs: 1_000,
    now: 0,
  },
  approved,
});

type Mutation = { readonly path: string; readonly value: Json };

/** The value with one place of it changed: each leaf, each list one longer and one shorter. */
function mutations(value: Json, path = ''): Mutation[] {
  if (isJsonObject(value)) {
    return Object.entries(value).flatMap(([name, field]) =>
      mutations(field, path === '' ? name : `${path}.${name}`).map((changed) => ({
        path: changed.path,
        value: { ...value, [name]: changed.value },
      })),
    );
  }
  if (typeof value === 'string')
    return [`${value}x`, value.slice(1)].map((text) => ({ path, value: text }));
  if (typeof value === 'number') return [value + 1, value - 1].map((n) => ({ path, value: n }));
  if (typeof value === 'boolean') return [{ path, value: !value }];
  if (value === null) return [{ path, value: 'x' }];
  const [, ...rest] = value;
  const lists = value.length > 0 ? [[...value, 'x'], rest] : [['x']];
  return lists.map((list) => ({ path, value: list }));
}

/** A binding that came out of storage, as it does. */
const stored = (value: unknown): Binding => JSON.parse(JSON.stringify(value));
const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value));

async function performed(given: Attempt): Promise<{ outcome: AttemptOutcome; calls: string[] }> {
  const { ports, calls } = fakePorts();
  return { outcome: await performAttempt(given, ports), calls };
}

const MISMATCH = { kind: 'failed', retryable: false, error: { code: 'approval_mismatch' } };

describe('an attempt at what was approved', () => {
  const approvedHash = inputHash(BINDING);

  test('is performed, once', async () => {
    const given = attempt({ binding: stored(BINDING), inputHash: approvedHash });
    expect(await performed(given)).toMatchObject({
      outcome: { kind: 'succeeded' },
      calls: ['refundOrder'],
    });
  });

  test('is performed where no approval was needed', async () => {
    expect((await performed(attempt(null))).calls).toEqual(['refundOrder']);
  });

  const changed = mutations(asJson(BINDING)).filter(({ path }) => !path.startsWith('input'));
  test.each(changed)('is never performed once $path is another: $value', async ({ value }) => {
    const { outcome, calls } = await performed(
      attempt({ binding: stored(value), inputHash: approvedHash }),
    );
    expect(outcome).toMatchObject(MISMATCH);
    expect(calls).toEqual([]);
  });

  test.each<[string, Partial<Attempt>]>([
    ['action', { action: 'order.cancel' }],
    ['step', { call: { ...attempt(null).call, stepId: 'b' } }],
    ['tenant', { call: { ...attempt(null).call, tenantId: 'another' } }],
    ['run', { call: { ...attempt(null).call, runId: 'run_another' } }],
  ])('is never performed for another %s than was bound', async (_what, other) => {
    const given = attempt({ binding: stored(BINDING), inputHash: approvedHash });
    const { outcome, calls } = await performed({ ...given, ...other });
    expect(outcome).toMatchObject(MISMATCH);
    expect(calls).toEqual([]);
  });

  const inputs: Mutation[] = [
    ...mutations(INPUT),
    ...Object.keys(INPUT).map((name) => ({
      path: `${name} (gone)`,
      value: Object.fromEntries(Object.entries(INPUT).filter(([key]) => key !== name)),
    })),
    { path: 'more', value: { ...INPUT, more: true } },
    { path: 'orderId, as a number', value: { ...INPUT, orderId: 7 } },
    { path: 'amount, as its text', value: { ...INPUT, amount: '500' } },
  ];
  test.each(inputs)('is never performed with another input: $path', async ({ value }) => {
    if (!isJsonObject(value)) throw new Error('no input');
    const given = attempt({ binding: stored(BINDING), inputHash: approvedHash }, value);
    const { outcome, calls } = await performed(given);
    expect(outcome).toMatchObject(MISMATCH);
    expect(calls).toEqual([]);
  });

  test('each field of the binding, of the rule and of the inputs was another once', () => {
    const paths = new Set([
      ...changed.map(({ path }) => path),
      ...inputs.map(({ path }) => `input.${path}`),
    ]);
    const covered = (name: string) => [...paths].some((path) => `${path}.`.startsWith(`${name}.`));
    expect(Object.keys(BINDING).filter((name) => !covered(name))).toEqual([]);
    const ruleFields = Object.keys(approvalRule.unwrap().shape).map((name) => `rule.${name}`);
    expect(ruleFields.filter((name) => !covered(name))).toEqual([]);
    expect(leaves(asJson(BINDING)).filter((name) => !covered(name))).toEqual([]);
  });

  test.each(['escalateTo', 'remindEvery'] as const)('nor when %s is gone', async (name) => {
    const binding = stored({ ...BINDING, rule: { ...RULE, [name]: null } });
    const { outcome, calls } = await performed(attempt({ binding, inputHash: approvedHash }));
    expect(outcome).toMatchObject(MISMATCH);
    expect(calls).toEqual([]);
  });

  test('is never performed under another hash', async () => {
    const others = ['', '0'.repeat(64), approvedHash.toUpperCase(), approvedHash.slice(0, 63)];
    for (const hash of others) {
      const given = attempt({ binding: stored(BINDING), inputHash: hash });
      expect((await performed(given)).outcome).toMatchObject(MISMATCH);
    }
  });

  test('the order of fields in storage makes no difference', async () => {
    const turned = Object.fromEntries(Object.entries(BINDING).reverse());
    const given = attempt({ binding: stored(turned), inputHash: approvedHash });
    expect((await performed(given)).calls).toEqual(['refundOrder']);
  });
});

function leaves(value: Json, path = ''): string[] {
  if (!isJsonObject(value)) return [path];
  return Object.entries(value).flatMap(([name, field]) =>
    leaves(field, path === '' ? name : `${path}.${name}`),
  );
}
