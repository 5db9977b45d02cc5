/**
 * Why each workflow did or did not start, as the event log tells it: an event says itself only what could
 * not be known otherwise, and the rest is told from the triggers that were enabled when it came.
 */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AcceptedEvent, EventMatch } from '../../../src/contract/events.ts';
import type { Json } from '../../../src/contract/json.ts';
import type { Definition, Workflow } from '../../../src/contract/workflows.ts';
import { findEvent, listEvents } from '../../../src/db/events.ts';
import { insertTriggers, type TriggerChange } from '../../../src/db/triggers.ts';
import { compileTrigger } from '../../../src/engine/definition.ts';
import { evaluateCondition } from '../../../src/engine/expressions.ts';
import { expectNothingWaits } from '../support/untold.ts';
import { disturb, withoutReadModel } from './support/disturb.ts';
import { quiet, tenantRows } from './support/history.ts';
import { Receiver } from './support/receiver.ts';
import { AUTHOR, addWorkflow, hook, openShop, send, tenantOf } from './support/shop.ts';

const receiver = new Receiver();
beforeEach(() => receiver.listen());
afterEach(() => void vi.restoreAllMocks());

const ALL = { limit: 200, after: null };
const TYPES = ['custom.go', 'custom.other'];
const CONDITIONS = [
  'event.data.n == 1',
  'event.data.n > 4 && event.data.s == "a"',
  'event.data.n != event.data.n',
  'event.data.none == 1',
  undefined,
];

/** What the tenant's workflows are, and what an event is to say of each, every condition evaluated. */
class Book {
  readonly #shop: string;
  readonly workflows: Workflow[] = [];
  readonly sent: { readonly event: AcceptedEvent; readonly matches: EventMatch[] }[] = [];

  constructor(shop: string) {
    this.#shop = shop;
  }

  async create(definition: Definition, enabled: boolean): Promise<void> {
    this.#note(await tenantOf(this.#shop).createWorkflow(definition, enabled, AUTHOR));
  }

  async edit({ id, version }: Workflow, definition: Definition): Promise<void> {
    this.#note(await tenantOf(this.#shop).updateWorkflow(id, version, definition, AUTHOR));
  }

  async enable({ id }: Workflow, enabled: boolean): Promise<void> {
    this.#note(await tenantOf(this.#shop).setWorkflowEnabled(id, enabled, AUTHOR));
  }

  async send(type: string, data: Json): Promise<void> {
    const event = await send(this.#shop, { type, data });
    const matches = this.workflows
      .filter(({ enabled, trigger }) => enabled && trigger.event === type)
      .toSorted((one, other) => (one.id < other.id ? -1 : 1))
      .map(({ id, version, trigger }) => ({
        workflowId: id,
        version,
        ...verdict(trigger, { id: event.id, type, data }),
      }));
    this.sent.push({ event, matches });
  }

  async expectTold(): Promise<void> {
    await vi.waitFor(
      async () => {
        await tenantOf(this.#shop).poke();
        await expectNothingWaits(this.#shop);
      },
      { timeout: 40_000, interval: 50 },
    );
    await quiet(this.#shop);
    const { items } = await listEvents(env.DB, this.#shop, {}, ALL);
    expect(items.map(({ id, matches }) => [id, matches])).toEqual(
      this.sent.map(({ event, matches }) => [event.id, matches]).toReversed(),
    );
    for (const { event, matches } of this.sent)
      expect((await findEvent(env.DB, this.#shop, event.id))?.matches).toEqual(matches);
  }

  #note(made: { ok: true; workflow: Workflow } | { ok: false; detail?: string }): void {
    if (!made.ok) throw new Error(made.detail);
    const at = this.workflows.findIndex(({ id }) => id === made.workflow.id);
    if (at === -1) this.workflows.push(made.workflow);
    else this.workflows[at] = made.workflow;
  }
}

function verdict(
  trigger: Definition['trigger'],
  event: Json,
): Pick<EventMatch, 'matched' | 'reason'> {
  const { condition } = compileTrigger(trigger, []);
  if (condition === null) return { matched: true, reason: `Every ${trigger.event} starts it.` };
  const result = evaluateCondition(condition, { event, tenant: {} });
  if (!result.ok)
    return { matched: false, reason: `The condition failed: ${result.error.message}` };
  return result.value
    ? { matched: true, reason: 'The condition is true.' }
    : { matched: false, reason: `The condition is false: ${condition.source}` };
}

function definition(event: string, condition: string | undefined): Definition {
  const trigger = condition === undefined ? { event } : { event, if: condition };
  return { name: 'Rule', trigger, steps: [hook('one', receiver.address())] };
}

const pick = fc.nat({ max: 1_000 });
const act = fc.record({
  what: fc.constantFrom('create', 'edit', 'edit', 'enable', 'disable', 'send', 'send', 'evict'),
  one: pick,
  type: fc.constantFrom(...TYPES),
  condition: fc.constantFrom(...CONDITIONS),
  data: fc.record({ n: fc.integer({ min: 0, max: 6 }), s: fc.constantFrom('a', 'b') }),
});
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

async function play(book: Book, { what, one, type, condition, data }: Act): Promise<void> {
  const workflow = book.workflows[one % book.workflows.length];
  if (what === 'create' || workflow === undefined)
    await book.create(definition(type, condition), one % 3 > 0);
  else if (what === 'edit') await book.edit(workflow, definition(type, condition));
  else if (what === 'send') await book.send(type, { ...data });
  else if (what === 'evict') await disturb('evict');
  else await book.enable(workflow, what === 'enable');
}

describe('the event log says of each workflow why it did or did not start', () => {
  test.each([11, 12, 13])(
    'whatever was changed before and after, with the read model down and up again (%i)',
    async (seed) => {
      const shop = await openShop();
      const book = new Book(shop);
      const acts = fc.sample(act, { numRuns: 60, seed });
      for (const condition of CONDITIONS)
        await book.create(definition('custom.go', condition), true);
      for (const one of acts.slice(0, 20)) await play(book, one);
      await withoutReadModel(async () => {
        for (const one of acts.slice(20, 40)) await play(book, one);
      });
      for (const one of acts.slice(40)) await play(book, one);
      expect(book.sent.some(({ matches }) => matches.length > 2)).toBe(true);
      await book.expectTold();
    },
    60_000,
  );

  test('and says nothing as long as a change before it is not there', async () => {
    const shop = await openShop();
    const book = new Book(shop);
    await book.create(definition('custom.go', 'false'), true);
    const long = (n: number) => `event.data.n == ${n} || event.data.s == "${'x'.repeat(4_000)}"`;
    // More than one batch takes, of characters.
    const edits = 120;
    const last = `WHEN NEW.tenant_id = '${shop}' AND NEW.seq = ${edits + 2}`;
    await env.DB.exec(
      `CREATE TRIGGER not_yet BEFORE INSERT ON audit ${last} BEGIN SELECT RAISE(ABORT, 'not yet'); END`,
    );
    await withoutReadModel(async () => {
      for (let n = 0; n < edits; n += 1)
        for (const workflow of book.workflows.slice(0, 1))
          await book.edit(workflow, definition('custom.go', long(n + 10)));
      await book.send('custom.go', { n: 1, s: 'a' });
    });
    // Whoever comes new does not back off.
    await disturb('evict');
    await vi.waitFor(
      async () => {
        await tenantOf(shop).poke();
        const told = await env.DB.prepare('SELECT max(seq) AS n FROM audit WHERE tenant_id = ?')
          .bind(shop)
          .first<{ n: number }>();
        expect(told?.n).toBeGreaterThan(20);
      },
      { timeout: 40_000, interval: 50 },
    );
    expect((await listEvents(env.DB, shop, {}, ALL)).items).toEqual([]);
    await env.DB.exec('DROP TRIGGER not_yet');
    await disturb('evict');
    await book.expectTold();
  }, 60_000);

  test('of twenty workflows, an event keeps what it has to say of one', async () => {
    const shop = await openShop();
    for (let n = 0; n < 20; n += 1)
      await addWorkflow(
        shop,
        [hook('one', receiver.address())],
        'custom.go',
        `event.data.n == ${n}`,
      );
    const { id } = await send(shop, { data: { n: 7 } });
    await quiet(shop);
    const row = await env.DB.prepare('SELECT matches FROM events WHERE tenant_id = ? AND id = ?')
      .bind(shop, id)
      .first<{ matches: string }>();
    expect(JSON.parse(row?.matches ?? '')).toHaveLength(1);
    expect((await findEvent(env.DB, shop, id))?.matches).toHaveLength(20);
  });
});

describe('from before', () => {
  test('an event has all of its matches itself', async () => {
    const shop = await openShop();
    const workflow = await addWorkflow(shop, [hook('one', 'x')], 'custom.go', 'event.data.n == 1');
    const { id } = await send(shop, { data: { n: 2 } });
    await quiet(shop);
    const matches = [
      { workflowId: workflow.id, version: 1, matched: false, reason: 'As it was told then.' },
    ];
    await env.DB.prepare(
      'UPDATE events SET revision = NULL, matches = ?3 WHERE tenant_id = ?1 AND id = ?2',
    )
      .bind(shop, id, JSON.stringify(matches))
      .run();
    expect((await findEvent(env.DB, shop, id))?.matches).toEqual(matches);
  });

  test("a tenant's workflows are told of with the first event", async () => {
    const shop = await openShop();
    const book = new Book(shop);
    for (let n = 0; n < 5; n += 1)
      await book.create(definition('custom.go', `event.data.n == ${n}`), n < 4);
    await quiet(shop);
    await env.DB.prepare('DELETE FROM triggers WHERE tenant_id = ?').bind(shop).run();
    await tenantRows(shop, `DELETE FROM settings WHERE name = 'triggers'`);
    await disturb('evict');
    for (const workflow of book.workflows.slice(0, 1)) await book.enable(workflow, false);
    await book.send('custom.go', { n: 9, s: 'a' });
    for (const workflow of book.workflows) await book.enable(workflow, true);
    await book.send('custom.go', { n: 9, s: 'a' });
    await book.expectTold();
    const flags = await runInDurableObject(tenantOf(shop), (_, { storage }) =>
      storage.sql.exec(`SELECT value FROM settings WHERE name = 'triggers'`).toArray(),
    );
    expect(flags).toHaveLength(1);
  });
});

test('the read model of triggers is the same however often, and in which portions, it is told', async () => {
  const change = fc.tuple(
    fc.constantFrom('wf_1', 'wf_2', 'wf_3'),
    fc.option(fc.constantFrom(...TYPES)),
  );
  let tenants = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { minLength: 1, maxLength: 12 }),
      fc.array(fc.tuple(fc.nat({ max: 12 }), fc.nat({ max: 6 })), { maxLength: 5 }),
      async (made, cuts) => {
        tenants += 1;
        const [once, often] = [`once-${tenants}`, `often-${tenants}`];
        const changes = made.map(
          ([workflowId, eventType], at): TriggerChange => ({
            workflowId,
            since: at + 1,
            version: at + 1,
            eventType,
            condition: `c${at}`,
          }),
        );
        for (const one of changes) await insertTriggers(env.DB, once, [one]).run();
        let end = 0;
        for (const [size, again] of [...cuts, [changes.length, changes.length] as const]) {
          const begin = Math.max(0, end - again);
          end = Math.min(changes.length, end + size);
          await insertTriggers(env.DB, often, changes.slice(begin, end)).run();
        }
        const rows = async (tenant: string) =>
          (
            await env.DB.prepare(
              `SELECT workflow_id, since, version, event_type, condition, until FROM triggers
               WHERE tenant_id = ? ORDER BY 1, 2`,
            )
              .bind(tenant)
              .all()
          ).results;
        expect(await rows(often)).toEqual(await rows(once));
        const [expected, stands] = [spans(changes), Number.MAX_SAFE_INTEGER];
        expect(await rows(once)).toMatchObject(
          expected.map(({ since, until }) => ({ since, until: until ?? stands })),
        );
      },
    ),
    { numRuns: 40 },
  );
}, 60_000);

/** Of each workflow in turn: from each change to the next. */
function spans(changes: readonly TriggerChange[]): { since: number; until: number | undefined }[] {
  return ['wf_1', 'wf_2', 'wf_3'].flatMap((id) => {
    const own = changes.filter(({ workflowId }) => workflowId === id);
    return own.map(({ since }, at) => ({ since, until: own[at + 1]?.since }));
  });
}
