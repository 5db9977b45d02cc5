/** Members: the people of a tenant. */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import {
  member,
  memberCreate,
  memberDelegate,
  memberUndelegate,
  memberUpdate,
} from '../contract/members.ts';
import type { Refusal } from '../contract/problems.ts';
import { listFromObject } from '../http/cursor.ts';
import { type Answer, listOf, listQuery, type Route, tenantRoute } from '../http/route.ts';
import { tenantObject } from '../objects/index.ts';

const TAG = 'Members';
const oneMember = later(() => z.object({ member, requestId: z.string() }));

export const memberRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/members',
    tag: TAG,
    summary: 'List members, newest first, those removed too',
    role: 'viewer',
    query: later(() => z.strictObject(listQuery())),
    answer: { status: 200, description: 'A page of members', schema: listOf(member) },
    async handle({ env, tenantId }, { query }) {
      const tenant = tenantObject(env, tenantId);
      return await listFromObject('members', query, (page) => tenant.listMembers(page));
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/members/create',
    tag: TAG,
    summary: 'Add a person; they sign in by Cloudflare Access, or by a key made for them',
    role: 'admin',
    body: memberCreate,
    answer: { status: 201, description: 'The member', schema: oneMember },
    async handle({ env, tenantId, by }, { body }) {
      return answered(201, await tenantObject(env, tenantId).createMember(body, by));
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/members/update',
    tag: TAG,
    summary: 'Change a name or a role, from the next request on',
    role: 'admin',
    body: memberUpdate,
    answer: { status: 200, description: 'The member', schema: oneMember },
    problems: [404],
    async handle({ env, tenantId, by }, { body }) {
      return answered(200, await tenantObject(env, tenantId).updateMember(body, by));
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/members/remove',
    tag: TAG,
    summary: 'Remove a person and, with them, their keys; the record of what they did stays',
    role: 'admin',
    body: later(() => z.strictObject({ id: z.string().min(1).max(100) })),
    answer: { status: 200, description: 'The member', schema: oneMember },
    problems: [404],
    async handle({ env, tenantId, by }, { body: { id } }) {
      return answered(200, await tenantObject(env, tenantId).removeMember(id, by));
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/members/delegate',
    tag: TAG,
    summary: 'Let another member decide on approvals in one’s place, for a time',
    description:
      'Of the caller, or by an admin of anybody. A former one is replaced. Only deciding is lent: ' +
      'neither editing nor an override, and nothing that was lent to the member in turn.',
    role: 'approver',
    orInPerson: true,
    perCaller: true,
    body: memberDelegate,
    answer: { status: 200, description: 'The member who is away', schema: oneMember },
    problems: [404],
    async handle({ env, tenantId, actor, role, requestId }, { body }) {
      const tenant = tenantObject(env, tenantId);
      return answered(200, await tenant.delegate(body, { actor, role }, requestId));
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/members/undelegate',
    tag: TAG,
    summary: 'End that at once',
    role: 'approver',
    orInPerson: true,
    perCaller: true,
    body: memberUndelegate,
    answer: { status: 200, description: 'The member', schema: oneMember },
    problems: [404],
    async handle({ env, tenantId, actor, role, requestId }, { body }) {
      const tenant = tenantObject(env, tenantId);
      return answered(200, await tenant.undelegate(body, { actor, role }, requestId));
    },
  }),
];

function answered(status: number, result: Refusal | { ok: true; member: object }): Answer {
  return result.ok ? { status, body: { member: result.member } } : result;
}
