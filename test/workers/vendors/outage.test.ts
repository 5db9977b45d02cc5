/**
 * A vendor that is down for hours, and one of which nobody knows what it did: what the run does, what
 * an operator sees of it, and that the effect is there once.
 */
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  auditOf,
  linkIn,
  look,
  mailsWith,
  readRun,
  submit,
  type Waiting,
} from '../notices/support.ts';
import { at, listAt, textAt } from '../support/answers.ts';
import { runWithStatus } from '../support/api.ts';
import {
  afterAttempts,
  begin,
  HOUR_MS,
  nextAttempt,
  numberAt,
  openStandIn,
  type StandIn,
  say,
  withShopify,
  withStripe,
} from './support.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const AMOUNT = { amount: 500, currency: 'USD' };
const ORDER = '9007199254740993';

async function refundable(kind: 'stripe' | 'shop') {
  const vendor = await openStandIn(kind);
  if (kind === 'stripe') await vendor.order({ do: 'pay', intent: 'pi_1' });
  else await vendor.order({ do: 'take order', gid: `gid://shopify/Order/${ORDER}` });
  const place = await (kind === 'stripe' ? withStripe() : withShopify());
  const orderId = kind === 'stripe' ? 'pi_1' : ORDER;
  const refund = (more = {}) => begin(place, 'order.refund', { orderId, amount: AMOUNT }, more);
  return { vendor, refund };
}

describe.each([
  ['stripe', 'Stripe'],
  ['shop', 'Shopify'],
] as const)('while %s is down for hours', (kind, name) => {
  test('a refund waits and says so, and is made once when it is back', async () => {
    const { vendor, refund } = await refundable(kind);
    await vendor.order({ do: 'go down' });
    const where = await refund();
    const begun = Date.now();
    let run = await afterAttempts(where, 1);
    for (let passed = 0; passed < 6 * HOUR_MS; passed = Date.now() - begun) {
      expect(at(run, 'run.status')).toBe('waiting');
      expect(at(run, 'run.steps.0.status')).toBe('waiting');
      expect(at(run, 'run.steps.0.error')).toMatchObject({
        code: 'connection_failed',
        message: `${name} could not be reached.`,
      });
      const pause = Date.parse(textAt(run, 'run.steps.0.nextAttemptAt')) - Date.now();
      expect(pause).toBeGreaterThan(0);
      expect(pause).toBeLessThan(4 * HOUR_MS);
      run = await nextAttempt(where);
    }
    const listed = await where.tenant.get('/api/admin/workflow-runs?status=waiting');
    expect(listAt(listed)).toMatchObject([{ id: where.runId, status: 'waiting' }]);
    expect((await vendor.tell()).requests).toBe(0);
    await vendor.order({ do: 'come back' });
    run = await nextAttempt(where);
    expect(at(run, 'run.status')).toBe('succeeded');
    expect(at(run, 'run.steps.0.output.amount')).toEqual(AMOUNT);
    expect(await vendor.tell()).toMatchObject({ changes: 1, refunds: [expect.anything()] });
    const attempts = numberAt(run, 'run.steps.0.attempts');
    expect(attempts).toBeGreaterThan(10);
    const timeline = listAt({ ...run, body: { items: at(run, 'run.timeline') ?? [] } });
    const failed = timeline.filter(
      (entry) => at({ body: { entry } }, 'entry.type') === 'attempt_failed',
    );
    expect(failed).toHaveLength(attempts - 1);
  });
});

test('a tag of a run that began without an object of its own waits like any other', async () => {
  const vendor = await openStandIn('shop');
  await vendor.order({ do: 'take order', gid: `gid://shopify/Order/${ORDER}` });
  await vendor.order({ do: 'go down' });
  const where = await begin(await withShopify(), 'tag.order', { orderId: ORDER, tag: 'vip' });
  await afterAttempts(where, 1);
  await vendor.order({ do: 'come back' });
  expect(at(await nextAttempt(where), 'run.status')).toBe('succeeded');
  expect((await vendor.tell()).tags).toEqual(['vip']);
});

describe.each(['stripe', 'shop'] as const)(
  'a refund at %s that was taken without a word',
  (kind) => {
    test('is found by the next attempt', async () => {
      const { vendor, refund } = await refundable(kind);
      await vendor.order({ do: 'fail', kind: 'droppedAfter' });
      const where = await refund();
      const run = await afterAttempts(where, 1);
      expect(at(run, 'run.status')).toBe('waiting');
      expect(at(await nextAttempt(where), 'run.status')).toBe('succeeded');
      expect(await vendor.tell()).toMatchObject({ changes: 1, refunds: [expect.anything()] });
    });

    /** Taken, then the vendor is gone until the attempts are used up. */
    async function inDoubt(): Promise<Waiting & { vendor: StandIn }> {
      const { vendor, refund } = await refundable(kind);
      await vendor.order({ do: 'fail', kind: 'droppedAfter' });
      const where = await refund({ retry: { attempts: 2 } });
      await afterAttempts(where, 1);
      await vendor.order({ do: 'go down' });
      expect(at(await nextAttempt(where), 'run.status')).toBe('pending_approval');
      const run = await readRun(where.tenant, where.runId);
      expect(at(run, 'run.approvals.1')).toMatchObject({ kind: 'resolve', status: 'pending' });
      return { ...where, vendor };
    }
    const changesOf = async (vendor: StandIn) => (await vendor.tell()).changes;

    test('and cannot be found out about is asked of people: try again finds it', async () => {
      const where = await inDoubt();
      await where.vendor.order({ do: 'come back' });
      await say(where, 'approve', { resolution: 'retry' });
      const run = await runWithStatus(where.tenant, where.runId, 'succeeded');
      expect(at(run, 'run.steps.0.output.refunded')).toEqual(AMOUNT);
      expect(await where.vendor.tell()).toMatchObject({ changes: 1, refunds: [expect.anything()] });
    });

    test('it happened: nothing more is sent, and the audit has who said so', async () => {
      const where = await inDoubt();
      const said = await say(where, 'approve', { resolution: 'happened', comment: 'Seen there.' });
      expect(at(said, 'run.status')).toBe('succeeded');
      expect(await changesOf(where.vendor)).toBe(1);
      const audit = await where.tenant.get(`/api/admin/audit?target=${where.runId}`);
      expect(at(audit, 'items.0')).toMatchObject({
        action: 'approval.approved',
        data: { resolution: 'happened' },
      });
    });

    test('given up: the run is denied, with the reason', async () => {
      const where = await inDoubt();
      const said = await say(where, 'deny', { comment: 'We will look tomorrow.' });
      expect(at(said, 'run.status')).toBe('denied');
      expect(await auditOf(where)).toContain('approval.denied');
      expect(await changesOf(where.vendor)).toBe(1);
    });

    test('the mail asks, and the page behind its link takes the answer', async () => {
      const where = await inDoubt();
      const [mail] = await mailsWith(where.tenant, 'Did this happen?', 1);
      if (mail === undefined) throw new Error('no mail');
      const link = linkIn(mail);
      expect((await look(link)).html).toContain('Did this happen?');
      const email = where.people.ann?.email ?? '';
      expect((await submit(link, { decision: 'happened', email })).html).toContain('it happened');
      expect(at(await readRun(where.tenant, where.runId), 'run.status')).toBe('succeeded');
      expect(await changesOf(where.vendor)).toBe(1);
    });
  },
);

test('a fault that Stripe repeats for its key is asked of people at the second attempt', async () => {
  const { vendor, refund } = await refundable('stripe');
  await vendor.order({ do: 'break next refund' });
  const where = await refund();
  await afterAttempts(where, 1);
  const run = await nextAttempt(where);
  expect(at(run, 'run.status')).toBe('pending_approval');
  expect(at(run, 'run.steps.0.error.code')).toBe('outcome_unknown');
  expect(textAt(run, 'run.steps.0.error.message')).toContain('24 hours');
  expect((await vendor.tell()).refunds).toEqual([]);
});
