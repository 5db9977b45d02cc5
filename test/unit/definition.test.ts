/** What is checked when a workflow is saved: every fault comes back, each with its place. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/contract/json.ts';
import { type Fault, faultsOf } from '../../src/contract/problems.ts';
import { definition, STEPS_MAX } from '../../src/contract/workflows.ts';
import { type CompiledDefinition, compileDefinition } from '../../src/engine/definition.ts';
import { compiled, note, pause, pay, RULES } from './support/engine.ts';
import { always } from './support/properties.ts';

/** A definition's faults by shape and, where the shape is right, by meaning; none when it is good. */
function faults(
  steps: readonly unknown[],
  trigger: JsonObject = { event: 'order.created' },
): Fault[] {
  const parsed = definition.safeParse({ name: 'Test', trigger, steps });
  if (!parsed.success) return faultsOf(parsed.error);
  const result = compileDefinition(parsed.data, RULES);
  return result.ok ? [] : result.faults;
}

const paths = (found: readonly Fault[]) => found.map(({ path }) => path);
const needsOf = ({ steps }: CompiledDefinition) =>
  Object.fromEntries(steps.map(({ id, needs }) => [id, needs]));

describe('what a good definition becomes', () => {
  test('a step without needs needs the one before it, one with none starts at once', () => {
    const steps = [
      note('a'),
      note('b'),
      note('c', { needs: [] }),
      note('d', { needs: ['a', 'c'] }),
      note('e'),
    ];
    expect(needsOf(compiled(steps))).toEqual({ a: [], b: ['a'], c: [], d: ['a', 'c'], e: ['d'] });
  });

  test('a step may need one that stands after it', () => {
    expect(faults([note('a', { needs: ['b'] }), note('b', { needs: [] })])).toEqual([]);
  });

  test('retries and timeouts are the action’s own where the step says nothing', () => {
    const [plain, own] = compiled([
      note('a'),
      note('b', { retry: { attempts: 7, delay: '1m', maxDelay: '2h' }, timeout: '25s' }),
    ]).steps;
    expect(plain).toMatchObject({
      timeoutMs: 15_000,
      retry: { attempts: 3, delayMs: 10_000, maxDelayMs: 60_000 },
    });
    expect(own).toMatchObject({
      timeoutMs: 25_000,
      retry: { attempts: 7, delayMs: 60_000, maxDelayMs: 7_200_000 },
    });
  });

  test('a part of a retry keeps the rest of the action’s', () => {
    expect(compiled([note('a', { retry: { attempts: 1 } })]).steps[0]).toMatchObject({
      retry: { attempts: 1, delayMs: 10_000, maxDelayMs: 60_000 },
    });
  });

  test('a wait is its length in milliseconds', () => {
    expect(compiled([pause('a', '72h')]).steps).toEqual([
      { kind: 'wait', id: 'a', needs: [], condition: null, waitMs: 259_200_000 },
    ]);
  });

  test('the trigger’s condition is compiled with it', () => {
    const parsed = definition.parse({
      name: 'T',
      trigger: { event: 'order.refunded', if: 'event.data.refund.amount.amount >= 50000' },
      steps: [note('a')],
    });
    const result = compileDefinition(parsed, RULES);
    expect(result).toMatchObject({ ok: true, compiled: { trigger: { event: 'order.refunded' } } });
  });
});

describe('faults of shape', () => {
  test.each<[string, unknown, Fault[] | RegExp, string?]>([
    ['no id', { action: 'note' }, /expected string/, 'steps.0.id'],
    ['an id with a hyphen', note('a-b'), /letters, digits and _/, 'steps.0.id'],
    ['an id that begins with a digit', note('1a'), /not beginning with a digit/, 'steps.0.id'],
    ['an unknown field', note('a', { colour: 1 }), /unknown field/, 'steps.0.colour'],
    ['an unknown field of a wait', pause('a', '1h', { with: {} }), /unknown field/, 'steps.0.with'],
    ['a wait that is no duration', pause('a', 'soon'), /a duration/, 'steps.0.wait'],
    ['a wait that is a number', { id: 'a', wait: 5 }, /expected string/, 'steps.0.wait'],
    [
      'a retry of text',
      note('a', { retry: { attempts: 'x' } }),
      /expected number/,
      'steps.0.retry.attempts',
    ],
    ['no attempt at all', note('a', { retry: { attempts: 0 } }), />=1/, 'steps.0.retry.attempts'],
    ['21 attempts', note('a', { retry: { attempts: 21 } }), /<=20/, 'steps.0.retry.attempts'],
    [
      'an approval by nobody',
      pay('a', { approval: { approvals: 0 } }),
      />=1/,
      'steps.0.approval.approvals',
    ],
    [
      'approval by a viewer',
      pay('a', { approval: { roles: ['viewer'] } }),
      /approver/,
      'steps.0.approval.roles.0',
    ],
    [
      'silence that approves',
      pay('a', { approval: { onExpire: 'approve' } }),
      /deny/,
      'steps.0.approval.onExpire',
    ],
    ['needs that are no list', note('a', { needs: 'b' }), /expected array/, 'steps.0.needs'],
    ['an empty condition', note('a', { if: '' }), />=1/, 'steps.0.if'],
    ['a condition that is too long', note('a', { if: 'x'.repeat(4_097) }), /<=4096/, 'steps.0.if'],
    ['neither action nor wait', { id: 'a' }, /either an action or a wait/, 'steps.0'],
    ['action and wait', { ...note('a'), wait: '1h' }, /unknown field/, 'steps.0.wait'],
    ['text', 'note', /either an action or a wait/, 'steps.0'],
    ['null', null, /either an action or a wait/, 'steps.0'],
  ])('%s', (_name, step, message, path) => {
    const found = faults([step]);
    expect(paths(found)).toEqual([path]);
    expect(found[0]?.message).toMatch(message instanceof RegExp ? message : '');
  });

  test('many faults of one step are named one by one', () => {
    const step = {
      id: 'a',
      action: 5,
      colour: 1,
      retry: { attempts: 'x', pace: 2 },
      approval: { approvals: 99 },
    };
    expect(paths(faults([note('ok'), step])).sort()).toEqual([
      'steps.1.action',
      'steps.1.approval.approvals',
      'steps.1.colour',
      'steps.1.retry.attempts',
      'steps.1.retry.pace',
    ]);
  });

  test('no steps, and one too many', () => {
    expect(paths(faults([]))).toEqual(['steps']);
    const many = Array.from({ length: STEPS_MAX + 1 }, (_, index) => note(`s${index}`));
    expect(paths(faults(many))).toEqual(['steps']);
    expect(faults(many.slice(1, 50))).toEqual([]);
  });

  test('a trigger on an event that there is not, and one with a field too many', () => {
    expect(faults([note('a')], { event: 'order.eaten' })).toMatchObject([
      { path: 'trigger.event', message: expect.stringContaining('order.created') },
    ]);
    expect(paths(faults([note('a')], { event: 'custom.x', when: 'now' }))).toEqual([
      'trigger.when',
    ]);
  });
});

describe('faults of the graph', () => {
  test.each<[string, JsonObject[], Fault[]]>([
    [
      'two steps with one id',
      [note('a'), note('b'), note('a')],
      [{ path: 'steps.2.id', message: 'step 0 has this id already' }],
    ],
    [
      'a step that needs one that there is not',
      [note('a', { needs: ['x', 'y'] })],
      [
        { path: 'steps.0.needs.0', message: "there is no step 'x'" },
        { path: 'steps.0.needs.1', message: "there is no step 'y'" },
      ],
    ],
    [
      'a step that needs itself',
      [note('a'), note('b', { needs: ['a', 'b'] })],
      [{ path: 'steps.1.needs.1', message: 'a step cannot need itself' }],
    ],
    [
      'two steps that need each other',
      [note('a', { needs: ['b'] }), note('b', { needs: ['a'] })],
      [
        { path: 'steps.0.needs', message: 'these steps wait for each other: a, b' },
        { path: 'steps.1.needs', message: 'these steps wait for each other: a, b' },
      ],
    ],
    [
      'a cycle through a step that needs the one before it',
      [note('a', { needs: ['c'] }), note('b'), note('c')],
      [0, 1, 2].map((index) => ({
        path: `steps.${index}.needs`,
        message: 'these steps wait for each other: a, b, c',
      })),
    ],
  ])('%s', (_name, steps, expected) => {
    expect(faults(steps)).toEqual(expected);
  });

  test('steps beside a cycle are not named', () => {
    const steps = [
      note('a'),
      note('b', { needs: ['c'] }),
      note('c', { needs: ['b'] }),
      note('d', { needs: ['a'] }),
    ];
    expect(paths(faults(steps))).toEqual(['steps.1.needs', 'steps.2.needs']);
  });

  test.each(['constructor', '__proto__', 'toString'])(
    '%s is an id and a name like any other',
    (name) => {
      expect(faults([note(name)])).toEqual([]);
      expect(paths(faults([note('a', { needs: [name] })]))).toEqual(['steps.0.needs.0']);
      expect(paths(faults([{ id: 'a', action: name }]))).toEqual(['steps.0.action']);
    },
  );

  test('a graph is accepted when, and only when, its steps can be put in an order', () => {
    const graphs = fc.array(fc.uniqueArray(fc.nat(6), { maxLength: 3 }), {
      minLength: 1,
      maxLength: 7,
    });
    always(
      20_260_306,
      1_000,
      fc.property(graphs, (drawn) => {
        const needs = drawn.map((list, index) =>
          list.filter((n) => n < drawn.length && n !== index),
        );
        const steps = needs.map((list, index) =>
          note(`s${index}`, { needs: list.map((n) => `s${n}`) }),
        );
        expect(faults(steps).length === 0).toBe(
          needs.every((_, index) => !reaches(needs, index, index)),
        );
      }),
    );
  });
});

/** Whether following needs from one step comes to another. */
function reaches(needs: readonly (readonly number[])[], from: number, to: number): boolean {
  const seen = new Set<number>();
  const next = [...(needs[from] ?? [])];
  for (let at = next.pop(); at !== undefined; at = next.pop()) {
    if (at === to) return true;
    if (!seen.has(at)) next.push(...(needs[at] ?? []));
    seen.add(at);
  }
  return false;
}

describe('faults of actions and their inputs', () => {
  test('an unknown action is told which ones there are', () => {
    expect(faults([{ id: 'a', action: 'nope' }])).toEqual([
      { path: 'steps.0.action', message: 'unknown action; there are note, pay, flip' },
    ]);
  });

  test.each<[string, JsonObject, string[]]>([
    ['no input where one is needed', { id: 'a', action: 'flip' }, ['steps.0.with.key']],
    ['a wrong type', pay('a', { with: { orderId: '7', cents: 'many' } }), ['steps.0.with.cents']],
    ['a field that there is not', note('a', { with: { txt: 'x' } }), ['steps.0.with.txt']],
    [
      'a wrong item of a list',
      pay('a', { with: { orderId: '7', cents: 1, tags: ['x', 5] } }),
      ['steps.0.with.tags.1'],
    ],
    [
      'several at once',
      pay('a', { with: { cents: 0, tags: 'x', more: 1 } }),
      ['steps.0.with.orderId', 'steps.0.with.cents', 'steps.0.with.tags', 'steps.0.with.more'],
    ],
    ['an action in capitals', { id: 'a', action: 'NOTE' }, ['steps.0.action']],
  ])('%s', (_name, step, expected) => {
    expect(paths(faults([step]))).toEqual(expected);
  });

  test.each<[string, JsonObject]>([
    ['a number', pay('a', { with: { orderId: '7', cents: '{{ event.data.n }}' } })],
    ['a pattern', { id: 'a', action: 'flip', with: { key: 'K-{{ event.data.word }}' } }],
    ['a whole list', pay('a', { with: { orderId: '7', cents: 1, tags: '{{ event.data.tags }}' } })],
    ['an item', pay('a', { with: { orderId: '7', cents: 1, tags: ['{{ event.data.n }}'] } })],
  ])('what a template will give in place of %s is checked when it has', (_name, step) => {
    expect(faults([step])).toEqual([]);
  });

  test('a template beside a wrong value does not hide it', () => {
    const step = pay('a', { with: { orderId: '{{ event.data.order.id }}', cents: 1.5 } });
    expect(paths(faults([step]))).toEqual(['steps.0.with.cents']);
  });

  test('a timeout is at most 25 seconds', () => {
    expect(faults([note('a', { timeout: '25s' })])).toEqual([]);
    expect(faults([note('a', { timeout: '26s' })])).toEqual([
      { path: 'steps.0.timeout', message: 'at most 25s' },
    ]);
  });
});

describe('faults of expressions', () => {
  test.each<[string, JsonObject, string, RegExp]>([
    ['syntax', note('a', { if: 'event.data.n >' }), 'steps.0.if', /\(1:\d+\)/],
    ['an unknown name', note('a', { if: 'evnt.data.n == 1' }), 'steps.0.if', /evnt.*\(1:1\)/],
    ['an unknown step', note('a', { if: 'has(steps.zz.output)' }), 'steps.0.if', /zz.*\(1:\d+\)/],
    ['the second line', note('a', { if: 'true &&\n nope' }), 'steps.0.if', /nope.*\(2:2\)/],
    [
      'a template',
      note('a', { with: { text: 'n: {{ evnt.n }}' } }),
      'steps.0.with.text',
      /evnt.*\(1:7\)/,
    ],
    [
      'a hole that is never closed',
      note('a', { with: { text: '{{ event' } }),
      'steps.0.with.text',
      /closed/,
    ],
    ['a condition of a wait', pause('a', '1h', { if: '(' }), 'steps.0.if', /\(1:\d+\)/],
  ])('%s: with the place and the reason', (_name, step, path, message) => {
    const found = faults([step]);
    expect(paths(found)).toEqual([path]);
    expect(found[0]?.message).toMatch(message);
  });

  test('a trigger knows the event and the tenant, and nothing of a run', () => {
    const on = (condition: string) =>
      faults([note('a')], { event: 'order.created', if: condition });
    expect(on('event.data.n == 1 && tenant.id == "acme"')).toEqual([]);
    expect(paths(on('run.id == "x"'))).toEqual(['trigger.if']);
    expect(paths(on('has(steps.a.output)'))).toEqual(['trigger.if']);
  });

  test('a run’s steps know the event, the tenant, the run and the steps', () => {
    const condition = 'has(steps.a.output) && event.id != run.id && tenant.name != ""';
    expect(faults([note('a'), note('b', { if: condition })])).toEqual([]);
  });
});

describe('what a step reads of others', () => {
  const reading = (fields: JsonObject) => note('c', { if: 'has(steps.a.output)', ...fields });

  test('of a step before it, however far', () => {
    expect(faults([note('a'), note('b'), reading({})])).toEqual([]);
  });

  test('of a step on another branch, after it, or itself is a fault: it may not be done by then', () => {
    const branches = [note('a'), note('b', { needs: [] }), reading({ needs: ['b'] })];
    expect(faults(branches)).toEqual([
      { path: 'steps.2.if', message: expect.stringContaining("add 'a' to this step's needs") },
    ]);
    expect(paths(faults([reading({}), note('a')]))).toEqual(['steps.0.if']);
    const itself = note('a', { with: { text: '{{ steps.a.output }}' } });
    expect(paths(faults([itself]))).toEqual(['steps.0.with']);
  });
});

test('all faults come back at once', () => {
  const steps = [
    note('a', { if: '(', timeout: '5m' }),
    note('a', { needs: ['zz'], with: { text: '{{ nope }}', count: 'x' } }),
    { id: 'c', action: 'nope', if: 'nope' },
    pause('d', '1h', { if: 'nope', needs: ['d'] }),
  ];
  expect(paths(faults(steps, { event: 'order.created', if: 'nope' })).sort()).toEqual([
    'steps.0.if',
    'steps.0.timeout',
    'steps.1.id',
    'steps.1.needs.0',
    'steps.1.with.count',
    'steps.1.with.text',
    'steps.2.action',
    'steps.2.if',
    'steps.3.if',
    'steps.3.needs.0',
    'trigger.if',
  ]);
});
