/**
 * A small world for the engine's tests: three actions with rules of their own, a plan around given
 * steps, and a story that feeds a run with inputs and remembers what was told.
 */
import * as z from 'zod';
import type {
  ActionPolicy,
  ApprovalPolicy,
  ApprovalRule,
} from '../../../src/contract/approvals.ts';
import type { Entry, EntryType } from '../../../src/contract/entries.ts';
import type { CloudEvent } from '../../../src/contract/events.ts';
import {
  type Actor,
  durationMs,
  isJsonObject,
  type Json,
  type JsonObject,
} from '../../../src/contract/json.ts';
import { faultsOf } from '../../../src/contract/problems.ts';
import { definition } from '../../../src/contract/workflows.ts';
import type { Claim, Vote } from '../../../src/engine/approval.ts';
import {
  type ActionRule,
  type ActionRules,
  type CompiledDefinition,
  compileDefinition,
} from '../../../src/engine/definition.ts';
import type { Decision, Outcome, Plan, RunInput } from '../../../src/engine/plan.ts';
import { defaultPolicy, type Risk } from '../../../src/engine/policy.ts';
import type { RetryPlan } from '../../../src/engine/retry.ts';
import { decide, start } from '../../../src/engine/run.ts';
import type { RunState } from '../../../src/engine/state.ts';

/** When every story begins. */
export const T0 = Date.parse('2026-03-01T12:00:00.000Z');
export const RUN_ID = 'run_018f0000000070008000000000000001';
export const TENANT_ID = 'acme';

/** The time that long after the beginning, as entries write it. */
export function at(after: string | null): string {
  return new Date(T0 + (after === null ? 0 : durationMs(after))).toISOString();
}

const RETRY: RetryPlan = { attempts: 3, delayMs: 10_000, maxDelayMs: 60_000 };

function rule(risk: Risk, schema: z.ZodType): ActionRule {
  return {
    risk,
    retry: RETRY,
    timeoutMs: 15_000,
    check(input) {
      const parsed = schema.safeParse(input);
      if (!parsed.success) return { ok: false, faults: faultsOf(parsed.error) };
      return isJsonObject(input)
        ? { ok: true, input }
        : { ok: false, faults: [{ path: '', message: 'an object' }] };
    },
    complete: (input) => input,
  };
}

/** `note` is safe; `pay` and `flip` wait for one person by default. */
export const RULES: ActionRules = {
  note: rule('safe', z.strictObject({ text: z.string().optional(), count: z.int().optional() })),
  pay: rule(
    'commerce',
    z.strictObject({
      orderId: z.string(),
      cents: z.int().min(1),
      tags: z.array(z.string()).optional(),
    }),
  ),
  flip: rule('config', z.strictObject({ key: z.string().regex(/^[a-z]+$/, 'lower-case letters') })),
};

export const note = (id: string, more: JsonObject = {}): JsonObject => ({
  id,
  action: 'note',
  with: { text: 'hello' },
  ...more,
});
export const pay = (id: string, more: JsonObject = {}): JsonObject => ({
  id,
  action: 'pay',
  with: { orderId: '7', cents: 500 },
  ...more,
});
export const pause = (id: string, wait: string, more: JsonObject = {}): JsonObject => ({
  id,
  wait,
  ...more,
});

export function compiled(steps: readonly JsonObject[]): CompiledDefinition {
  const parsed = definition.parse({ name: 'Test', trigger: { event: 'order.created' }, steps });
  const result = compileDefinition(parsed, RULES);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.compiled;
}

const EVENT: CloudEvent = {
  specversion: '1.0',
  id: 'order-1',
  source: 'api',
  type: 'order.created',
  time: '2026-03-01T11:59:59.000Z',
  correlationid: 'cor-1',
  data: { n: 7, word: 'seven', order: { id: '7' } },
};

export interface PlanOptions {
  readonly policy?: ApprovalPolicy;
  readonly authors?: readonly string[];
  readonly data?: JsonObject;
}

export function planOf(steps: readonly JsonObject[], options: PlanOptions = {}): Plan {
  const { policy = {}, authors = ['sender', 'author'], data = EVENT.data } = options;
  return {
    runId: RUN_ID,
    requestId: 'req-1',
    tenant: { id: TENANT_ID, name: 'Acme' },
    workflow: { id: 'wf_1', name: 'Test', version: 3 },
    eventId: 'evt_1',
    event: { ...EVENT, data },
    definition: compiled(steps),
    authors,
    retryOf: null,
    policy,
    policyIsCurrent: true,
  };
}

/** A policy's entry: the default of a risky action, but for what is given. */
export function actionPolicy(over: Partial<ActionPolicy> = {}): ActionPolicy {
  return { ...defaultPolicy('commerce'), ...over };
}

/** The rule that such a policy comes to when none of its conditions holds. */
export function policyRule(over: Partial<ApprovalRule> = {}): ApprovalRule {
  const { when: _when, budget: _budget, ...rule } = actionPolicy();
  return { ...rule, among: [], ...over };
}

export function person(id: string): Actor {
  return { type: 'member', id, name: `Person ${id}` };
}

export function claim(by: string, over: Partial<Claim> = {}): Claim {
  return {
    approvalId: undefined,
    inputHash: undefined,
    actor: person(by),
    role: 'approver',
    comment: null,
    requestId: `req-${by}`,
    ...over,
  };
}

export function vote(by: string, over: Partial<Vote> = {}): Vote {
  return { decision: 'approved', ...claim(by), ...over };
}

/** A run's life, told step by step. Jitter is in the middle, so delays are the plain ones. */
export class Story {
  readonly plan: Plan;
  readonly entries: Entry[] = [];
  run: RunState;
  now = T0;
  refused: Decision['refused'];

  constructor(plan: Plan) {
    this.plan = plan;
    const decision = start(plan, T0);
    this.run = decision.run;
    this.entries.push(...decision.entries);
  }

  /** Takes one input now and returns the entries that it brought. */
  take(input: RunInput): readonly Entry[] {
    const { run, entries, refused } = decide(this.plan, this.run, input, this.now, 0.5);
    this.run = run;
    this.refused = refused;
    this.entries.push(...entries);
    return entries;
  }

  /** Lets time pass without anybody looking. */
  pass(duration: string): this {
    this.now += durationMs(duration);
    return this;
  }

  tick(): this {
    this.take({ type: 'tick' });
    return this;
  }

  succeed(stepId: string, output: Json = null, attempt = this.step(stepId).attempts): this {
    const outcome = { kind: 'succeeded', output, events: [] } as const;
    this.take({ type: 'attempt_ended', stepId, attempt, outcome });
    return this;
  }

  fail(
    stepId: string,
    over: Partial<Extract<Outcome, { kind: 'failed' }>> & { attempt?: number } = {},
  ): this {
    const { attempt = this.step(stepId).attempts, ...failure } = over;
    const error = { code: 'unreachable', message: 'Nobody answered.' };
    const usual = {
      kind: 'failed',
      error,
      output: null,
      retryable: true,
      retryAfterMs: null,
    } as const;
    const outcome = { ...usual, ...failure };
    this.take({ type: 'attempt_ended', stepId, attempt, outcome });
    return this;
  }

  vote(by: string, over: Partial<Vote> = {}): this {
    this.take({ type: 'vote', vote: vote(by, over) });
    return this;
  }

  deny(by: string, over: Partial<Vote> = {}): this {
    return this.vote(by, { decision: 'denied', comment: 'No.', ...over });
  }

  /** New inputs, by an admin unless told otherwise. */
  edit(by: string, input: JsonObject, over: Partial<Claim> = {}): this {
    this.take({ type: 'edit', claim: claim(by, { role: 'admin', ...over }), input });
    return this;
  }

  /** By an admin with a reason, unless told otherwise. */
  override(by: string, over: Partial<Claim> = {}): this {
    const given = claim(by, { role: 'admin', comment: 'The house is on fire.', ...over });
    this.take({ type: 'override', claim: given });
    return this;
  }

  view(by: string, over: Partial<Claim> = {}): this {
    this.take({ type: 'view', claim: claim(by, over) });
    return this;
  }

  cancel(by = 'boss'): this {
    this.take({ type: 'cancel', actor: person(by), comment: 'Enough.', requestId: `req-${by}` });
    return this;
  }

  step(id: string): RunState['steps'][number] {
    const step = this.run.steps.find((candidate) => candidate.id === id);
    if (step === undefined) throw new Error(`no step ${id}`);
    return step;
  }

  statuses(): Record<string, string> {
    return Object.fromEntries(this.run.steps.map(({ id, status }) => [id, status]));
  }

  last<T extends EntryType>(type: T): Extract<Entry, { type: T }> {
    const isIt = (entry: Entry): entry is Extract<Entry, { type: T }> => entry.type === type;
    const found = this.entries.filter(isIt).at(-1);
    if (found === undefined) throw new Error(`no ${type} among ${told(this.entries).join(', ')}`);
    return found;
  }
}

/** Entries in short: their type, and the step and attempt where there are such. */
export function told(entries: readonly Entry[]): string[] {
  return entries.map((entry) =>
    [entry.type, 'stepId' in entry ? entry.stepId : '', 'attempt' in entry ? entry.attempt : '']
      .filter((part) => part !== '')
      .join(' '),
  );
}

/** Freezes a value with all that it holds, so that a change to it throws. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}
