/** The audit trail: its entries, signed checkpoints over it, proofs, and the whole of it to take away. */
import * as z from 'zod';
import { auditEntry } from '../contract/audit.ts';
import { auditCheckpoint, consistencyProof, inclusionProof } from '../contract/checkpoints.ts';
import { timestamp } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { refusal } from '../contract/problems.ts';
import { auditPages, countAudit, findAudit, listAudit } from '../db/audit.ts';
import { proveConsistency, proveInclusion } from '../db/audit-proofs.ts';
import { listCheckpoints } from '../db/checkpoints.ts';
import { listAnswer, pageOf } from '../http/cursor.ts';
import { listOf, listQuery, type Route, tenantRoute } from '../http/route.ts';
import { logError } from '../log.ts';
import type { CheckpointAnswer } from '../objects/checkpoints.ts';
import { call, tenantObject } from '../objects/index.ts';

const NUMBER_KEY = /^\d{1,15}$/;
const period = () => ({ from: timestamp.optional(), to: timestamp.optional() });
const requestId = later(() => z.string());

/** A number of an entry, or of entries from the first. */
function countParam(description: string) {
  return z.coerce.number().int().min(1).describe(description);
}

export const auditRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/audit',
    tag: 'Audit',
    summary: 'The audit trail, newest first: one hash chain per tenant',
    role: 'viewer',
    query: later(() =>
      z.strictObject({
        ...listQuery(),
        action: z.string().min(1).max(120).optional(),
        actor: z.string().min(1).max(256).optional().describe("An actor's id"),
        target: z.string().min(1).max(256).optional().describe("A target's id"),
        ...period(),
      }),
    ),
    answer: { status: 200, description: 'A page of entries', schema: listOf(auditEntry) },
    async handle({ env, tenantId }, { query: { limit, cursor, ...filter } }) {
      const page = pageOf('audit', { limit, cursor }, NUMBER_KEY);
      if ('ok' in page) return page;
      return { body: listAnswer('audit', await listAudit(env.DB, tenantId, filter, page)) };
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/api/admin/audit/get',
    tag: 'Audit',
    summary: 'One entry of the audit trail by its number',
    role: 'viewer',
    query: later(() => z.strictObject({ seq: countParam("The entry's number") })),
    answer: {
      status: 200,
      description: 'The entry',
      schema: later(() => z.object({ entry: auditEntry, requestId })),
    },
    problems: [404],
    async handle({ env, tenantId }, { query: { seq } }) {
      const entry = await findAudit(env.DB, tenantId, seq);
      return entry === null
        ? refusal('not_found', 'There is no entry of that number.')
        : { body: { entry } };
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/api/admin/audit/export',
    tag: 'Audit',
    summary: 'The entries as a file, oldest first, one on a line',
    description:
      'Of any length. Without `from` and `to` it is the whole chain, which `npx signalbox audit verify` checks offline.',
    role: 'admin',
    query: later(() => z.strictObject(period())),
    answer: { status: 200, description: 'The entries', contentType: 'application/x-ndjson' },
    async handle({ env, tenantId, requestId }, { query }) {
      const headers = {
        'content-type': 'application/x-ndjson',
        'content-disposition': `attachment; filename="audit-${tenantId}.ndjson"`,
      };
      const onFault = (error: unknown) =>
        logError({ what: 'audit_export_failed', tenantId, requestId }, error);
      return new Response(streamOf(auditPages(env.DB, tenantId, query), onFault), { headers });
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/api/admin/audit/checkpoints',
    tag: 'Audit',
    summary: 'Signed checkpoints over the audit trail, newest first',
    role: 'viewer',
    query: later(() => z.strictObject(listQuery())),
    answer: { status: 200, description: 'A page of checkpoints', schema: listOf(auditCheckpoint) },
    async handle({ env, tenantId }, { query }) {
      const page = pageOf('checkpoints', query, NUMBER_KEY);
      if ('ok' in page) return page;
      return { body: listAnswer('checkpoints', await listCheckpoints(env.DB, tenantId, page)) };
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/audit/checkpoint',
    tag: 'Audit',
    summary: 'Sign a checkpoint over all entries now',
    description: 'When nothing was written since the last one, that one is the answer.',
    role: 'admin',
    body: later(() => z.strictObject({})),
    answer: {
      status: 200,
      description: 'The checkpoint',
      schema: later(() => z.object({ checkpoint: auditCheckpoint, requestId })),
    },
    problems: [503],
    async handle({ env, tenantId }) {
      const answer = await call<CheckpointAnswer>(
        async () => await tenantObject(env, tenantId).checkpoint(),
      );
      return answer.ok ? { body: { checkpoint: answer.checkpoint } } : answer;
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/api/admin/audit/proof',
    tag: 'Audit',
    summary: 'Proof that an entry is among the first so many',
    description: 'RFC 6962, section 2.1.1. It counts against the root of a signed checkpoint.',
    role: 'viewer',
    query: later(() =>
      z.strictObject({
        seq: countParam("The entry's number; left out: the last of them").optional(),
        size: countParam('How many entries; left out: all').optional(),
      }),
    ),
    answer: {
      status: 200,
      description: 'The proof',
      schema: later(() => inclusionProof.unwrap().extend({ requestId })),
    },
    problems: [404],
    async handle({ env, tenantId }, { query }) {
      const count = await countAudit(env.DB, tenantId);
      const { size = count, seq = size } = query;
      if (size > count || count === 0) return tooFew(count);
      if (seq > size) return wrongOrder('seq', 'size');
      return { body: await proveInclusion(env.DB, tenantId, seq, size) };
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/api/admin/audit/consistency',
    tag: 'Audit',
    summary: 'Proof that a later state of the trail began as an earlier one',
    description: 'RFC 6962, section 2.1.2. It counts against the roots of two signed checkpoints.',
    role: 'viewer',
    query: later(() =>
      z.strictObject({
        from: countParam('How many entries the earlier one had; left out: 1').default(1),
        to: countParam('How many entries the later one had; left out: all').optional(),
      }),
    ),
    answer: {
      status: 200,
      description: 'The proof',
      schema: later(() => consistencyProof.unwrap().extend({ requestId })),
    },
    problems: [404],
    async handle({ env, tenantId }, { query }) {
      const count = await countAudit(env.DB, tenantId);
      const { from, to = count } = query;
      if (to > count || count === 0) return tooFew(count);
      if (from > to) return wrongOrder('from', 'to');
      return { body: await proveConsistency(env.DB, tenantId, from, to) };
    },
  }),
];

function tooFew(count: number) {
  return refusal('not_found', `There are ${count} entries.`);
}

function wrongOrder(smaller: string, larger: string) {
  const message = `not more than ${larger}`;
  return refusal('validation_failed', 'See errors for what is wrong and where.', [
    { path: `query.${smaller}`, message },
  ]);
}

/** One page is read when the reader has taken the one before, so that memory stays constant. */
function streamOf(
  pages: AsyncGenerator<string, void>,
  onFault: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value: page = '' } = await pages.next();
          if (done) controller.close();
          else controller.enqueue(encoder.encode(page));
        } catch (error) {
          onFault(error);
          controller.error(error);
        }
      },
      async cancel() {
        await pages.return();
      },
    },
    { highWaterMark: 0 },
  );
}
