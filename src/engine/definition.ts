/**
 * A workflow definition, checked and compiled. The same code serves saving (every fault, with its
 * path) and running (compiled once for each version): what was accepted is what runs.
 */
import type { CloudEvent } from '../contract/events.ts';
import { durationMs, type Json, type JsonObject } from '../contract/json.ts';
import type { Fault } from '../contract/problems.ts';
import type {
  ActionStep,
  Definition,
  Step,
  StepApproval,
  WaitStep,
} from '../contract/workflows.ts';
import { compileExpression, type Expression } from './expressions.ts';
import type { Risk } from './policy.ts';
import type { RetryPlan } from './retry.ts';
import { compileTemplate, type Template } from './templates.ts';

/** What the engine knows of an action. The registry in `actions/` provides it as plain values. */
export interface ActionRule {
  readonly risk: Risk;
  readonly retry: RetryPlan;
  readonly timeoutMs: number;
  /** Fields that are HTML: what `{{ }}` puts into them is escaped. */
  readonly markup?: readonly string[] | undefined;
  /** Checks a resolved input. At save time it sees templates too; faults under those are dropped. */
  check(input: Json): { ok: true; input: JsonObject } | { ok: false; faults: Fault[] };
  /** What the action would take from the event by itself, written out for whoever approves it. */
  complete(input: JsonObject, event: CloudEvent): JsonObject;
}
export type ActionRules = Readonly<Record<string, ActionRule>>;

interface CompiledCommon {
  readonly id: string;
  readonly needs: readonly string[];
  readonly condition: Expression | null;
}
export interface CompiledAction extends CompiledCommon {
  readonly kind: 'action';
  readonly action: string;
  readonly rule: ActionRule;
  readonly input: Template;
  readonly retry: RetryPlan;
  readonly timeoutMs: number;
  readonly approval: StepApproval | undefined;
}
export interface CompiledWait extends CompiledCommon {
  readonly kind: 'wait';
  readonly waitMs: number;
}
export type CompiledStep = CompiledAction | CompiledWait;

export interface CompiledTrigger {
  readonly event: string;
  readonly condition: Expression | null;
}

export interface CompiledDefinition {
  readonly trigger: CompiledTrigger;
  readonly steps: readonly CompiledStep[];
}

/** A stateless Worker may run on for 30 seconds after its answer, and an attempt has to fit. */
export const TIMEOUT_MAX_MS = 25_000;

/** Checks all of a definition and compiles it; every fault comes back, not the first alone. */
export function compileDefinition(
  definition: Definition,
  actions: ActionRules,
): { ok: true; compiled: CompiledDefinition } | { ok: false; faults: Fault[] } {
  const faults = graphFaults(definition.steps);
  const trigger = compileTrigger(definition.trigger, faults);
  const known = definition.steps.map((step) => step.id);
  const steps = definition.steps.flatMap((step, index) => {
    const needs = needsOf(definition.steps, index);
    const compiled = compileStep(step, needs, known, actions, `steps.${index}`, faults);
    return compiled === null ? [] : [compiled];
  });
  faults.push(...orderFaults(steps));
  return faults.length > 0 ? { ok: false, faults } : { ok: true, compiled: { trigger, steps } };
}

/** Compiles a trigger alone: what matching needs of a workflow. Adds what is wrong to `faults`. */
export function compileTrigger(trigger: Definition['trigger'], faults: Fault[]): CompiledTrigger {
  return {
    event: trigger.event,
    condition: compileCondition(trigger.if, ['event', 'tenant'], [], 'trigger.if', faults),
  };
}

/** A step without `needs` needs the one before it; `needs: []` starts at once. */
function needsOf(steps: readonly Step[], index: number): readonly string[] {
  const before = steps[index - 1];
  return steps[index]?.needs ?? (before === undefined ? [] : [before.id]);
}

function compileStep(
  step: Step,
  needs: readonly string[],
  known: readonly string[],
  actions: ActionRules,
  path: string,
  faults: Fault[],
): CompiledStep | null {
  const names = ['event', 'steps', 'run', 'tenant'] as const;
  const condition = compileCondition(step.if, names, known, `${path}.if`, faults);
  const common = { id: step.id, needs, condition };
  if (isWait(step)) return { ...common, kind: 'wait', waitMs: durationMs(step.wait) };
  const rule = Object.hasOwn(actions, step.action) ? actions[step.action] : undefined;
  if (rule === undefined) {
    const names = Object.keys(actions).join(', ');
    faults.push({ path: `${path}.action`, message: `unknown action; there are ${names}` });
    return null;
  }
  const input = compileInput(step, rule, names, known, `${path}.with`, faults);
  const timeoutMs = step.timeout === undefined ? rule.timeoutMs : durationMs(step.timeout);
  if (step.timeout !== undefined && timeoutMs > TIMEOUT_MAX_MS)
    faults.push({ path: `${path}.timeout`, message: 'at most 25s' });
  if (input === null) return null;
  const { action, approval } = step;
  const retry = retryPlan(step, rule.retry);
  return { ...common, kind: 'action', action, rule, input, retry, timeoutMs, approval };
}

export function isWait(step: Step): step is WaitStep {
  return 'wait' in step;
}

/** A step that says how its delays grow has no use for the action's own schedule. */
function retryPlan(step: ActionStep, { delaysMs, ...standard }: RetryPlan): RetryPlan {
  const { attempts = standard.attempts, delay, maxDelay } = step.retry ?? {};
  if (delay === undefined && maxDelay === undefined && delaysMs !== undefined)
    return { ...standard, attempts, delaysMs };
  return {
    attempts,
    delayMs: delay === undefined ? standard.delayMs : durationMs(delay),
    maxDelayMs: maxDelay === undefined ? standard.maxDelayMs : durationMs(maxDelay),
  };
}

function compileInput(
  step: ActionStep,
  rule: ActionRule,
  names: Parameters<typeof compileTemplate>[1],
  known: readonly string[],
  path: string,
  faults: Fault[],
): Template | null {
  const input = step.with ?? {};
  const template = compileTemplate(input, names, known, rule.markup);
  const checked = rule.check(input);
  if (!checked.ok)
    for (const fault of checked.faults)
      if (!isTemplated(input, fault.path))
        faults.push({ path: join(path, fault.path), message: fault.message });
  if (template.ok) return template.template;
  for (const fault of template.faults)
    faults.push({ path: join(path, fault.path), message: fault.message });
  return null;
}

function join(path: string, rest: string): string {
  return rest === '' ? path : `${path}.${rest}`;
}

/** Whether a template stands at this place: what it will resolve to is checked when it has. */
function isTemplated(input: Json, path: string): boolean {
  let at: Json | undefined = input;
  for (const key of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) break;
    at = Object.getOwnPropertyDescriptor(at, key)?.value;
  }
  return typeof at === 'string' && at.includes('{{');
}

function compileCondition(
  source: string | undefined,
  names: Parameters<typeof compileExpression>[1],
  known: readonly string[],
  path: string,
  faults: Fault[],
): Expression | null {
  if (source === undefined) return null;
  const compiled = compileExpression(source, names, known);
  if (compiled.ok) return compiled.expression;
  faults.push({ path, message: compiled.fault.message });
  return null;
}

/** What a step reads of others must be there when it starts, whichever branch is the faster. */
function orderFaults(steps: readonly CompiledStep[]): Fault[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const before = (id: string, seen = new Set<string>()): Set<string> => {
    for (const need of byId.get(id)?.needs ?? []) if (!seen.has(need)) before(need, seen.add(need));
    return seen;
  };
  return steps.flatMap((step, index) => {
    const reads = (part: string, names: readonly string[]) =>
      names
        .filter((name) => byId.has(name) && !before(step.id).has(name))
        .map((name) => ({
          path: `steps.${index}.${part}`,
          message: `steps.${name} is not done by then: add '${name}' to this step's needs`,
        }));
    const input = step.kind === 'action' ? reads('with', step.input.steps) : [];
    return [...reads('if', step.condition?.steps ?? []), ...input];
  });
}

/** Duplicate ids, needs that do not exist, and cycles. */
function graphFaults(steps: readonly Step[]): Fault[] {
  const faults: Fault[] = [];
  const ids = new Map<string, number>();
  steps.forEach(({ id }, index) => {
    const first = ids.get(id);
    if (first === undefined) ids.set(id, index);
    else faults.push({ path: `steps.${index}.id`, message: `step ${first} has this id already` });
  });
  steps.forEach(({ id, needs }, index) => {
    needs?.forEach((need, at) => {
      const path = `steps.${index}.needs.${at}`;
      if (need === id) faults.push({ path, message: 'a step cannot need itself' });
      else if (!ids.has(need)) faults.push({ path, message: `there is no step '${need}'` });
    });
  });
  return ids.size === steps.length ? [...faults, ...cycleFaults(steps)] : faults;
}

/** Takes away steps whose needs are all gone until nothing moves: what is left is on a cycle. */
function cycleFaults(steps: readonly Step[]): Fault[] {
  const left = new Map(
    steps.map((step, index) => {
      const needs = needsOf(steps, index).filter((need) => need !== step.id);
      return [step.id, { index, needs }];
    }),
  );
  for (let moved = true; moved; ) {
    moved = false;
    for (const [id, { needs }] of left)
      if (!needs.some((need) => left.has(need))) moved = left.delete(id);
  }
  const cycle = [...left.keys()].join(', ');
  return [...left.values()].map(({ index }) => ({
    path: `steps.${index}.needs`,
    message: `these steps wait for each other: ${cycle}`,
  }));
}
