/** What an action is made of. A new one is one file with `defineAction` and one line in all.ts. */
import type * as z from 'zod';
import type { CloudEvent } from '../contract/events.ts';
import { isJsonObject, type Json, type JsonObject } from '../contract/json.ts';
import { faultsOf } from '../contract/problems.ts';
import type { ActionRule } from '../engine/definition.ts';
import type { AttemptOutcome } from '../engine/plan.ts';
import type { Risk } from '../engine/policy.ts';
import type { RetryPlan } from '../engine/retry.ts';
import type { PortCall, Ports } from '../ports/index.ts';

export interface ActionContext {
  readonly ports: Ports;
  readonly call: PortCall;
  readonly event: CloudEvent;
}

export interface ActionDefinition<Schema extends z.ZodLazy> {
  /** `<object>.<verb>`, as workflows name it. */
  readonly name: string;
  readonly summary: string;
  /** Anything but `safe` waits for a human unless the tenant's policy says otherwise. */
  readonly risk: Risk;
  readonly input: Schema;
  /** The field of the input that is an address: one that is written out is checked at save time. */
  readonly addressField?: string;
  readonly retry?: Partial<RetryPlan>;
  readonly timeoutMs?: number;
  /** Fields of the input that are HTML: what `{{ }}` puts into them is escaped. */
  readonly markup?: readonly string[];
  /** Writes out what `run` would take from the event by itself: approvers see all that is sent. */
  complete?(input: JsonObject, event: CloudEvent): JsonObject;
  /** What will be done, for people: "Refund 75.00 USD of order 1001". Default: the action's name. */
  describe?(input: z.output<Schema>): string;
  /** Whether its port makes a repeat under the same key harmless. Default: it does. */
  isRepeatable?(ports: Ports): boolean;
  run(input: z.output<Schema>, context: ActionContext): Promise<AttemptOutcome>;
}

export interface Action {
  readonly name: string;
  readonly summary: string;
  readonly input: z.ZodType;
  readonly addressField: string | null;
  readonly rule: ActionRule;
  /** One sentence without a full stop; also for inputs that the action would not take. */
  describe(input: Json): string;
  /** If not, an attempt has to be written down before it is made. */
  isRepeatable(ports: Ports): boolean;
  perform(input: Json, context: ActionContext): Promise<AttemptOutcome>;
}

/** A vendor's outage lasts hours: 20 attempts are spread over more than a day. */
export const OUTAGE_RETRY = { attempts: 20, maxDelayMs: 3 * 3_600_000 } as const;

const RETRY: RetryPlan = { attempts: 5, delayMs: 5_000, maxDelayMs: 3_600_000 };
const TIMEOUT_MS = 15_000;

export function defineAction<Schema extends z.ZodLazy>(
  definition: ActionDefinition<Schema>,
): Action {
  const { name, summary, risk, input: schema, retry, timeoutMs = TIMEOUT_MS } = definition;
  return {
    name,
    summary,
    input: schema,
    addressField: definition.addressField ?? null,
    rule: {
      risk,
      retry: { ...RETRY, ...retry },
      timeoutMs,
      markup: definition.markup,
      complete: definition.complete ?? ((input) => input),
      check(input) {
        const parsed = schema.safeParse(input);
        if (!parsed.success) return { ok: false, faults: faultsOf(parsed.error) };
        return isJsonObject(input)
          ? { ok: true, input }
          : { ok: false, faults: [{ path: '', message: 'an object' }] };
      },
    },
    describe(input) {
      const parsed = schema.safeParse(input);
      return definition.describe !== undefined && parsed.success
        ? definition.describe(parsed.data)
        : `Run the action ${name}`;
    },
    isRepeatable: definition.isRepeatable ?? (() => true),
    perform: (input, context) => definition.run(schema.parse(input), context),
  };
}
