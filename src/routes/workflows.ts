/** Workflows: written by admins, read by viewers; and the catalog that any editor is made from. */
import * as z from 'zod';
import { ACTION_RULES, ACTIONS } from '../actions/index.ts';
import { EVENT_DATA } from '../contract/events.ts';
import { isJsonObject, type Json, jsonObject } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { type Fault, type Refusal, refusal } from '../contract/problems.ts';
import {
  type Definition,
  definition,
  type Step,
  step,
  trigger,
  workflow,
  workflowCreate,
  workflowItem,
  workflowUpdate,
} from '../contract/workflows.ts';
import { compileDefinition } from '../engine/definition.ts';
import type { Env } from '../env.ts';
import { listFromObject } from '../http/cursor.ts';
import { type Answer, listOf, listQuery, type Route, tenantRoute } from '../http/route.ts';
import { tenantObject } from '../objects/index.ts';
import { addressFaults } from './outgoing.ts';

const TAG = 'Workflows';
const oneWorkflow = later(() => z.object({ workflow, requestId: z.string() }));
const idBody = later(() => z.strictObject({ id: z.string().min(1).max(100) }));
const catalog = later(() =>
  z.object({
    events: z.array(z.object({ type: z.string(), schema: jsonObject })),
    actions: z.array(
      z.object({ name: z.string(), summary: z.string(), risk: z.string(), schema: jsonObject }),
    ),
    requestId: z.string(),
  }),
);

export const workflowRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/workflows',
    tag: TAG,
    summary: 'List workflows, newest first, without definitions',
    role: 'viewer',
    query: later(() =>
      z.strictObject({
        ...listQuery(),
        enabled: z
          .enum(['true', 'false'])
          .transform((text) => text === 'true')
          .optional(),
        event: z.string().min(1).max(120).optional(),
      }),
    ),
    answer: { status: 200, description: 'A page of workflows', schema: listOf(workflowItem) },
    async handle({ env, tenantId }, { query: { limit, cursor, ...filter } }) {
      const tenant = tenantObject(env, tenantId);
      return await listFromObject('workflows', { limit, cursor }, (page) =>
        tenant.listWorkflows(filter, page),
      );
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/api/admin/workflows/get',
    tag: TAG,
    summary: 'One workflow, in its current or an older version',
    role: 'viewer',
    query: later(() =>
      z.strictObject({
        id: z.string().min(1).max(100),
        version: z.coerce.number().int().min(1).optional(),
      }),
    ),
    answer: { status: 200, description: 'The workflow', schema: oneWorkflow },
    problems: [404],
    async handle({ env, tenantId }, { query: { id, version } }) {
      const found = await tenantObject(env, tenantId).getWorkflow(id, version);
      return found === null
        ? refusal('not_found', 'There is no such workflow, or no such version of it.')
        : { body: { workflow: found } };
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/workflows/create',
    tag: TAG,
    summary: 'Create a workflow; disabled unless asked',
    role: 'admin',
    body: workflowCreate,
    alsoCheck: (body) => faultsOfParts(body),
    answer: { status: 201, description: 'The workflow', schema: oneWorkflow },
    problems: [422],
    async handle({ env, tenantId, by }, { body: { enabled, ...definition } }) {
      const faulty = await check(env, tenantId, definition);
      if (faulty !== null) return faulty;
      const tenant = tenantObject(env, tenantId);
      return answered(201, await tenant.createWorkflow(definition, enabled, by));
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/workflows/update',
    tag: TAG,
    summary: 'Write a new version; `version` is the one that was read',
    role: 'admin',
    body: workflowUpdate,
    alsoCheck: (body) => faultsOfParts(body),
    answer: { status: 200, description: 'The workflow', schema: oneWorkflow },
    problems: [404, 409],
    async handle({ env, tenantId, by }, { body: { id, version, ...definition } }) {
      const faulty = await check(env, tenantId, definition);
      if (faulty !== null) return faulty;
      const tenant = tenantObject(env, tenantId);
      return answered(200, await tenant.updateWorkflow(id, version, definition, by));
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/workflows/check',
    tag: TAG,
    summary: 'Look for faults in a definition, as before it is saved; nothing is',
    description: 'Whether the members that it names are there is told when it is saved.',
    role: 'viewer',
    body: definition,
    alsoCheck: (body) => faultsOfParts(body),
    answer: {
      status: 200,
      description: 'It has none; a definition with faults is answered 400, as on saving it',
      schema: later(() => z.object({ valid: z.literal(true), requestId: z.string() })),
    },
    async handle({ env, tenantId }, { body }) {
      return (await check(env, tenantId, body)) ?? { body: { valid: true } };
    },
  }),
  switchRoute('enable', 'Start new runs from now on', true),
  switchRoute('disable', 'Start no new runs; those under way go on', false),
  tenantRoute({
    method: 'GET',
    path: '/api/admin/catalog',
    tag: TAG,
    summary: 'Event types and actions, with JSON Schemas for forms',
    role: 'viewer',
    answer: { status: 200, description: 'The catalog', schema: catalog },
    async handle() {
      return { body: CATALOG() };
    },
  }),
];

function switchRoute(verb: 'enable' | 'disable', summary: string, enabled: boolean): Route {
  return tenantRoute({
    method: 'POST',
    path: `/api/admin/workflows/${verb}`,
    tag: TAG,
    summary,
    role: 'admin',
    body: idBody,
    answer: { status: 200, description: 'The workflow', schema: oneWorkflow },
    problems: [404],
    async handle({ env, tenantId, by }, { body: { id } }) {
      return answered(200, await tenantObject(env, tenantId).setWorkflowEnabled(id, enabled, by));
    },
  });
}

/** Every fault of a definition at once; the addresses in it too, as far as they stand there. */
async function check(env: Env, tenantId: string, definition: Definition): Promise<Refusal | null> {
  const compiled = compileDefinition(definition, ACTION_RULES);
  const faults = [
    ...(compiled.ok ? [] : compiled.faults),
    ...(await addressFaults(env, tenantId, definition)),
  ];
  return faults.length === 0
    ? null
    : refusal('validation_failed', 'The workflow was not saved. See errors.', faults);
}

/** Of a definition whose shape is wrong somewhere: what is wrong with the parts whose shape is right. */
function faultsOfParts(body: Json): Fault[] {
  if (!isJsonObject(body) || !Array.isArray(body.steps)) return [];
  const steps = body.steps.map((given, index): Step => {
    const parsed = step.safeParse(given);
    const id = isJsonObject(given) && typeof given.id === 'string' ? given.id : `step ${index}`;
    return parsed.success ? parsed.data : { id, wait: '1s' };
  });
  const known = trigger.safeParse(body.trigger);
  const whole = { name: 'Checked', trigger: known.data ?? { event: 'order.created' }, steps };
  const compiled = compileDefinition(whole, ACTION_RULES);
  return compiled.ok ? [] : compiled.faults;
}

function answered(status: number, result: Refusal | { ok: true; workflow: object }): Answer {
  return result.ok ? { status, body: { workflow: result.workflow } } : result;
}

let catalogOnce: object | undefined;
function CATALOG(): object {
  catalogOnce ??= {
    events: Object.entries(EVENT_DATA).map(([type, schema]) => ({
      type,
      schema: z.toJSONSchema(schema, { io: 'input', reused: 'inline' }),
    })),
    actions: Object.values(ACTIONS).map(({ name, summary, rule, input }) => ({
      name,
      summary,
      risk: rule.risk,
      schema: z.toJSONSchema(input, { io: 'input', reused: 'inline' }),
    })),
  };
  return catalogOnce;
}
