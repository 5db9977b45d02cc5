/**
 * Exports: the list, links to share, and their files, which go out by an API key or by such a link.
 * Whoever takes a file out is in the audit before its first byte leaves. docs/exports.md
 */
import * as z from 'zod';
import { duration, durationMs, parseDuration, utcTime } from '../contract/json.ts';
import { later } from '../contract/later.ts';
import { refusal } from '../contract/problems.ts';
import { envOf } from '../db/databases.ts';
import { listAnswer, pageOf } from '../http/cursor.ts';
import { download, noSuchFile } from '../http/download.ts';
import {
  type Answer,
  listOf,
  listQuery,
  openRoute,
  type Route,
  type Served,
  type ServedCaller,
  tenantRoute,
} from '../http/route.ts';
import { wrongCredential } from '../http/wrong-credentials.ts';
import { newId } from '../ids.ts';
import { type ExportLink, exportUrl, readExportToken } from '../objects/export-link.ts';
import { call, tenantObject } from '../objects/index.ts';
import { type ReadableExport, readableExport } from '../ports/export-files.ts';
import { EXPORT_STATUSES, listExports } from '../ports/export-rows.ts';

const TAG = 'Exports';
const LINK_MAX = '7d';
const NOT_OURS = refusal('not_found', 'This link is not one of ours. Was all of it copied?');
const RANGES =
  'Takes `Range` with one range of bytes, and `If-Range` with the `ETag`: then the answer is 206. ';

const exported = later(() =>
  z
    .object({
      id: z.string(),
      kind: z.string(),
      format: z.string(),
      status: z.enum(EXPORT_STATUSES),
      rows: z.int().describe('Of an export that is running: so far'),
      bytes: z.int(),
      createdAt: utcTime,
      finishedAt: utcTime.nullable(),
      expiresAt: utcTime.nullable().describe('When its file is removed'),
    })
    .meta({ id: 'Export' }),
);

const exportId = later(() => z.string().min(1).max(256));

const linkBody = later(() =>
  z.strictObject({
    id: exportId,
    expiresIn: duration
      .refine((text) => (parseDuration(text) ?? 0) <= durationMs(LINK_MAX), `at most ${LINK_MAX}`)
      .default('15m')
      .describe('How long the link works; not longer than the file is kept'),
  }),
);

const exportLink = later(() =>
  z
    .object({
      id: z.string().describe('As the audit names it'),
      url: z.string().describe('Whoever has it can download the file'),
      expiresAt: utcTime,
    })
    .meta({ id: 'ExportLink' }),
);

export const exportRoutes: readonly Route[] = [
  tenantRoute({
    method: 'GET',
    path: '/api/admin/exports',
    tag: TAG,
    summary: 'Exports, newest first',
    role: 'viewer',
    query: later(() => z.strictObject(listQuery())),
    answer: { status: 200, description: 'A page of exports', schema: listOf(exported) },
    async handle({ env, tenantId }, { query }) {
      const page = pageOf('exports', query);
      if ('ok' in page) return page;
      return { body: listAnswer('exports', await listExports(env.DB, tenantId, page)) };
    },
  }),
  tenantRoute({
    method: 'GET',
    path: '/api/admin/exports/get',
    tag: TAG,
    summary: "Download a finished export's file",
    description: `${RANGES}The audit tells of it, once an hour for each caller and file.`,
    role: 'admin',
    query: later(() => z.strictObject({ id: exportId })),
    answer: { status: 200, description: 'The file: CSV or NDJSON', contentType: 'text/csv' },
    problems: [404, 416],
    async handle(served, { query: { id } }) {
      const { env, tenantId, by } = served;
      return await download(served, await readable(served, tenantId, id), async (leaves) =>
        leaves
          ? await call(async () => await tenantObject(env, tenantId).noteDownload(id, by))
          : { ok: true },
      );
    },
  }),
  tenantRoute({
    method: 'POST',
    path: '/api/admin/exports/link',
    tag: TAG,
    summary: 'Make a link by which anyone can download a finished export, for a while',
    description:
      'It ends with `expiresIn`, with the file, and when whoever made it is no admin any more. ' +
      'The audit names the link by its id, and every use of it.',
    role: 'admin',
    body: linkBody,
    answer: {
      status: 201,
      description: 'The link, which is shown here alone',
      schema: later(() => z.object({ link: exportLink, requestId: z.string() })),
    },
    problems: [404],
    async handle(served, { body: { id, expiresIn } }) {
      const found = await readable(served, served.tenantId, id);
      return found === null ? noSuchFile() : await makeLink(served, found, expiresIn);
    },
  }),
  openRoute({
    method: 'GET',
    path: '/exports/:token',
    tag: TAG,
    summary: 'Download the file behind a link',
    description: `${RANGES}The audit tells of it, once an hour for each link.`,
    access: { tier: 'anyone' },
    answer: { status: 200, description: 'The file: CSV or NDJSON', contentType: 'text/csv' },
    problems: [403, 404, 410, 416, 429],
    handle: downloadByLink,
  }),
];

async function readable({ env }: Served, tenantId: string, id: string) {
  const { DB: db, EXPORTS: bucket } = await envOf(env, tenantId);
  return await readableExport({ db, bucket }, tenantId, id, Date.now());
}

async function makeLink(
  { env, tenantId, by, request }: ServedCaller,
  { id, expiresAt: end }: ReadableExport,
  expiresIn: string,
): Promise<Answer> {
  const asked = Date.now() + durationMs(expiresIn);
  const expiresAt = end === null ? asked : Math.min(asked, Date.parse(end));
  const madeBy = { type: by.actor.type, id: by.actor.id };
  const link: ExportLink = { id: newId('lnk'), tenantId, exportId: id, madeBy, expiresAt };
  const noted = await call(async () => await tenantObject(env, tenantId).noteExportLink(link, by));
  if (!noted.ok) return noted;
  const origin = env.PUBLIC_URL || new URL(request.url).origin;
  const url = await exportUrl(env.KEY_SECRET, origin, link);
  const shown = { id: link.id, url, expiresAt: new Date(expiresAt).toISOString() };
  return { status: 201, body: { link: shown } };
}

async function downloadByLink(served: Served): Promise<Answer> {
  const { env, params, told, requestId } = served;
  const read = await readExportToken(env.KEY_SECRET, params.token ?? '', Date.now());
  if (!read.ok)
    return read.why === 'expired'
      ? refusal('link_expired', 'This link has expired. Ask whoever sent it for another one.')
      : await wrongCredential(served, NOT_OURS);
  const { link } = read;
  const { tenantId, exportId: id } = link;
  told.tenantId = tenantId;
  return await download(served, await readable(served, tenantId, id), (leaves) =>
    call(async () => await tenantObject(env, tenantId).admitByLink(link, leaves, requestId)),
  );
}
