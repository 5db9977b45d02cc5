/** Files going out: by an API key or by a link that needs none, whole or in ranges, each time audited. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { makeApprovalToken } from '../../../src/objects/approval-link.ts';
import { type ExportLink, exportUrl } from '../../../src/objects/export-link.ts';
import { sweepExports } from '../../../src/objects/export-sweep.ts';
import { tenantObject } from '../../../src/objects/index.ts';
import worker from '../../../src/worker.ts';
import { at, checkAnswer, faultPaths, fieldsOf, routeOf, textAt } from '../support/answers.ts';
import { fetchApi, newKey, newTenant, type Sent, send, type Tenant } from '../support/api.ts';
import { addMany, CSV, exportAll, NDJSON, onlyExport, read, slice, textOf } from './support.ts';

const LINK = '/api/admin/exports/link';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

let tenant: Tenant;
let id: string;
let text: string;
let size: number;

async function tenantWithFile(): Promise<{ tenant: Tenant; id: string }> {
  const owner = await newTenant();
  await addMany(owner.id, 30);
  await exportAll(owner.id, CSV);
  return { tenant: owner, id: (await onlyExport(owner.id)).id };
}

beforeAll(async () => {
  ({ tenant, id } = await tenantWithFile());
  text = await textOf(tenant.id);
  size = new TextEncoder().encode(text).byteLength;
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function linkFor(owner = tenant, body: object = {}): Promise<string> {
  const of = owner === tenant ? id : (await onlyExport(owner.id)).id;
  const made = await owner.post(LINK, { id: of, ...body });
  expect(made.status, made.text).toBe(201);
  return pathOf(textAt(made, 'link.url'));
}

function pathOf(url: string): string {
  expect(url).toMatch(/^https:\/\/api\.test\/exports\/[\w-]+\.[\w-]{43}$/);
  return new URL(url).pathname;
}

/** A link that we have signed, whatever it says. */
async function signed(more: Partial<ExportLink>): Promise<string> {
  const made = { id: 'lnk_1', tenantId: tenant.id, exportId: id, expiresAt: Date.now() + HOUR_MS };
  const link = { ...made, madeBy: { type: 'api_key', id: 'key_1' }, ...more } as const;
  return pathOf(await exportUrl(env.KEY_SECRET, 'https://api.test/', link));
}

interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly bytes: number;
}

/** As `send`, for an answer that may be a file or a part of one. */
async function get(path: string, sent: Sent = {}, method = 'GET'): Promise<Got> {
  const response = await fetchApi(method, path, sent);
  const { status, headers } = response;
  const got = { status, headers, ...(await read(response)) };
  if (status >= 400 && method !== 'HEAD')
    checkAnswer(routeOf(method, path.split('?')[0] ?? ''), {
      ...got,
      body: JSON.parse(got.text),
    });
  return got;
}

async function keepUntil(owner: Tenant, time: number): Promise<void> {
  await env.DB.prepare('UPDATE exports SET expires_at = ? WHERE tenant_id = ?')
    .bind(new Date(time).toISOString(), owner.id)
    .run();
}

async function downloads(owner: Tenant) {
  const audit = await owner.get('/api/admin/audit?action=export.downloaded&limit=200');
  return fieldsOf(audit, 'data');
}

describe('a link', () => {
  test('downloads the file without any credential, for 15 minutes', async () => {
    const made = await tenant.post(LINK, { id });
    const expiresAt = Date.parse(textAt(made, 'link.expiresAt'));
    expect(expiresAt - Date.now()).toBeGreaterThan(14 * MINUTE_MS);
    expect(expiresAt - Date.now()).toBeLessThanOrEqual(15 * MINUTE_MS);
    expect(textAt(made, 'link.id')).toMatch(/^lnk_[0-9a-f]{32}$/);
    const path = pathOf(textAt(made, 'link.url'));
    const file = await get(path);
    expect(file).toMatchObject({ status: 200, text });
    expect(Object.fromEntries(file.headers)).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': `attachment; filename="${id}.csv"`,
      'content-length': String(size),
      'accept-ranges': 'bytes',
      etag: `"${id}"`,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    vi.setSystemTime(expiresAt - 1);
    expect((await get(path)).status).toBe(200);
    vi.setSystemTime(expiresAt);
    const late = await get(path);
    expect(late.status).toBe(410);
    expect(JSON.parse(late.text)).toMatchObject({ code: 'link_expired' });
    expect((await get(path, {}, 'HEAD')).status).toBe(410);
  });

  test.each(['1s', '15m', '7d', '168h'])('may live for %s', async (expiresIn) => {
    const made = await tenant.post(LINK, { id, expiresIn });
    expect(made.status).toBe(201);
  });

  test.each(['8d', '169h', '0s', '-1m', '1.5h', 'soon', '', null, 900])(
    'may not live for %j',
    async (expiresIn) => {
      const made = await tenant.post(LINK, { id, expiresIn });
      expect(made.status).toBe(400);
      expect(faultPaths(made)).toEqual(['expiresIn']);
    },
  );

  test('ends with its file, however long was asked for', async () => {
    const owner = await tenantWithFile();
    const end = Date.now() + HOUR_MS;
    await keepUntil(owner.tenant, end);
    const made = await owner.tenant.post(LINK, { id: owner.id, expiresIn: '7d' });
    expect(at(made, 'link.expiresAt')).toBe(new Date(end).toISOString());
  });

  test('is told in the audit by its id, never itself', async () => {
    const made = await tenant.post(LINK, { id, expiresIn: '1h' });
    const audit = await tenant.get(`/api/admin/audit?target=${id}&limit=1`);
    expect(at(audit, 'items.0')).toMatchObject({
      action: 'export.link_created',
      actor: { type: 'api_key' },
      data: { linkId: textAt(made, 'link.id'), expiresAt: textAt(made, 'link.expiresAt') },
      requestId: made.headers.get('x-request-id'),
    });
    const all = await tenant.get('/api/admin/audit?limit=200');
    expect(all.text).not.toMatch(/https?:|\/exports\//);
  });

  test('is the same again for the same Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'once' };
    const first = await tenant.post(LINK, { id }, { headers });
    const again = await tenant.post(LINK, { id }, { headers });
    expect(at(again, 'link')).toEqual(at(first, 'link'));
  });

  test.each(['viewer', 'approver', 'ingest'] as const)('is not made by a %s', async (role) => {
    expect((await tenant.post(LINK, { id }, { role })).status).toBe(403);
  });

  test('is made of a finished export alone, and only of an own one', async () => {
    const other = await tenantWithFile();
    const running = await newTenant();
    await addMany(running.id, 6_000);
    await slice(running.id, CSV);
    const missing = await tenant.post(LINK, { id: 'exp_1' });
    expect(missing.status).toBe(404);
    const foreign = await tenant.post(LINK, { id: other.id });
    expect({ ...foreign.body, requestId: '' }).toEqual({ ...missing.body, requestId: '' });
    const unfinished = await running.post(LINK, { id: (await onlyExport(running.id)).id });
    expect(unfinished.status).toBe(404);
  });

  test('begins with the address that the request came to where PUBLIC_URL is empty', async () => {
    const defers: Promise<unknown>[] = [];
    const context = { waitUntil: (work: Promise<unknown>) => void defers.push(work) };
    const request = new Request(`https://own.example.com${LINK}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await tenant.key('admin')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ id }),
    });
    const own = { ...env, PUBLIC_URL: '' };
    const answer = await worker.fetch(request, own, Object.assign(Object.create(null), context));
    expect(await answer.json()).toMatchObject({
      link: {
        url: expect.stringMatching(/^https:\/\/own\.example\.com\/exports\/[\w-]+\.[\w-]+$/),
      },
    });
    await Promise.all(defers);
  });
});

describe('no link is', () => {
  test('one with any character changed', async () => {
    const path = await linkFor();
    const from = path.lastIndexOf('/') + 1;
    for (let at = from; at < path.length; at += 7) {
      const other = path[at] === 'A' ? 'B' : 'A';
      const got = await get(path.slice(0, at) + other + path.slice(at + 1));
      expect(got.status, `${at}`).toBe(404);
    }
    for (const more of ['A', '.', '/x', '%00'])
      expect((await get(`${path}${more}`)).status).toBe(404);
  });

  test('a token that was signed for something else', async () => {
    const token = await makeApprovalToken(env.KEY_SECRET, {
      ...{ tenantId: tenant.id, runId: 'run_1', approvalId: 'apr_1', memberId: 'mem_1' },
      ...{ inputHash: '0'.repeat(64), expiresAt: new Date(Date.now() + DAY_MS).toISOString() },
    });
    expect((await get(`/exports/${token}`)).status).toBe(404);
  });

  test('one to another tenant’s export, even signed by us', async () => {
    const other = await tenantWithFile();
    const path = await linkFor(other.tenant);
    expect((await get(path)).status).toBe(200);
    const key = (await other.tenant.get('/api/admin/api-keys', 'admin')).body;
    const madeBy = { type: 'api_key', id: textAt({ body: key, text: '' }, 'items.0.id') } as const;
    expect((await get(await signed({ madeBy, exportId: other.id }))).status).toBe(404);
    expect((await get(await signed({ madeBy, tenantId: other.tenant.id }))).status).toBe(404);
  });

  test('one whose maker is no admin any more', async () => {
    const owner = await tenantWithFile();
    const key = await newKey(await owner.tenant.key('admin'), 'admin');
    const made = await send('POST', LINK, { token: key.secret, body: { id: owner.id } });
    const path = pathOf(textAt(made, 'link.url'));
    expect((await get(path)).status).toBe(200);
    await owner.tenant.post('/api/admin/api-keys/revoke', { id: key.id });
    for (const range of ['', 'bytes=0-0', 'bytes=999999-'])
      expect((await get(path, { headers: { range } })).status).toBe(403);
    expect((await get(path, {}, 'HEAD')).status).toBe(403);
    expect(await downloads(owner.tenant)).toHaveLength(1);
  });

  test('one of a member who was removed, or may only read now', async () => {
    const owner = await tenantWithFile();
    const member = { name: 'Ada', email: 'ada@example.com', role: 'admin' };
    const joined = await owner.tenant.post('/api/admin/members/create', member);
    const memberId = textAt(joined, 'member.id');
    const key = { name: 'Hers', role: 'admin', memberId };
    const minted = await owner.tenant.post('/api/admin/api-keys/create', key);
    const token = textAt(minted, 'apiKey.secret');
    const made = await send('POST', LINK, { token, body: { id: owner.id } });
    const path = pathOf(textAt(made, 'link.url'));
    expect((await get(path)).status).toBe(200);
    const update = { id: memberId, role: 'viewer' };
    await owner.tenant.post('/api/admin/members/update', update);
    expect((await get(path)).status).toBe(403);
    await owner.tenant.post('/api/admin/members/update', { ...update, role: 'admin' });
    expect((await get(path)).status).toBe(200);
    await owner.tenant.post('/api/admin/members/remove', { id: memberId });
    expect((await get(path)).status).toBe(403);
  });

  test('one to a file that is gone', async () => {
    const owner = await tenantWithFile();
    const path = await linkFor(owner.tenant, { expiresIn: '7d' });
    await keepUntil(owner.tenant, Date.now());
    await sweepExports(env, Date.now());
    expect((await onlyExport(owner.tenant.id)).status).toBe('expired');
    expect((await get(path)).status).toBe(404);
    expect((await get(path, {}, 'HEAD')).status).toBe(404);
    const lost = await tenantWithFile();
    const other = await linkFor(lost.tenant);
    await env.EXPORTS.delete((await onlyExport(lost.tenant.id)).objectKey);
    expect((await get(other)).status).toBe(404);
    expect((await get(other, {}, 'HEAD')).status).toBe(404);
  });
});

describe.each(['key', 'link'])('with a %s', (way) => {
  let path: string;
  let token: { token?: string };
  beforeEach(async () => {
    path = way === 'link' ? await linkFor() : `/api/admin/exports/get?id=${id}`;
    token = way === 'link' ? {} : { token: await tenant.key('admin') };
  });
  const ask = (headers: Record<string, string>, method?: string) =>
    get(path, { ...token, headers }, method);

  test('a range of bytes is served as 206', async () => {
    for (const [range, from, to] of [
      ['bytes=0-0', 0, 0],
      ['bytes=10-19', 10, 19],
      ['bytes=100-', 100, size - 1],
      ['bytes=-7', size - 7, size - 1],
      [`bytes=0-${size * 2}`, 0, size - 1],
    ] as const) {
      const part = await ask({ range });
      expect(part.status, range).toBe(206);
      expect(part.text).toBe(text.slice(from, to + 1));
      expect(part.headers.get('content-range')).toBe(`bytes ${from}-${to}/${size}`);
      expect(part.headers.get('content-length')).toBe(String(to + 1 - from));
      expect(part.headers.get('content-type')).toContain('text/csv');
      expect(part.headers.get('etag')).toBe(`"${id}"`);
    }
  });

  test('a file is whole when it is fetched in parts', async () => {
    let whole = '';
    for (let from = 0; from < size; from += 777) {
      const range = `bytes=${from}-${from + 776}`;
      whole += (await ask({ range, 'if-range': `"${id}"` })).text;
    }
    expect(whole).toBe(text);
  });

  test('a range beyond the end is 416, and says where that is', async () => {
    const part = await ask({ range: `bytes=${size}-` });
    expect(part.status).toBe(416);
    expect(part.headers.get('content-range')).toBe(`bytes */${size}`);
    expect(JSON.parse(part.text)).toMatchObject({ code: 'range_not_satisfiable' });
  });

  test('what cannot be served as a range is served whole', async () => {
    for (const range of ['bytes=0-1,5-6', 'lines=0-1'])
      expect(await ask({ range })).toMatchObject({ status: 200, text });
    for (const known of ['"another"', `W/"${id}"`])
      expect(await ask({ range: 'bytes=0-1', 'if-range': known })).toMatchObject({
        ...{ status: 200, text },
      });
  });

  test('HEAD tells what GET would, whatever the range, and sends nothing', async () => {
    for (const range of ['', 'bytes=0-1']) {
      const head = await ask({ range }, 'HEAD');
      const whole = await ask({});
      expect(head).toMatchObject({ status: 200, bytes: 0 });
      const plain = ({ headers: all }: Got) => {
        const { 'x-request-id': _id, ...rest } = Object.fromEntries(all);
        return rest;
      };
      expect(plain(head)).toEqual(plain(whole));
    }
  });
});

describe('the audit of downloads', () => {
  test('has one entry an hour for each link and each caller, before anything leaves', async () => {
    const owner = await tenantWithFile();
    const admin = await owner.tenant.key('admin');
    const second = await newKey(admin, 'admin');
    const first = await owner.tenant.post(LINK, { id: owner.id, expiresIn: '3h' });
    const linkId = textAt(first, 'link.id');
    const link = pathOf(textAt(first, 'link.url'));
    const byKey = (token: string) => get(`/api/admin/exports/get?id=${owner.id}`, { token });
    await get(link, {}, 'HEAD');
    await get(link, { headers: { range: 'bytes=999999-' } });
    expect(await downloads(owner.tenant)).toEqual([]);
    for (let times = 0; times < 3; times += 1) {
      await get(link, { headers: { range: `bytes=${times}-` } });
      await byKey(admin);
      await byKey(second.secret);
    }
    const other = await linkFor(owner.tenant);
    await get(other);
    const told = await downloads(owner.tenant);
    expect(told).toHaveLength(4);
    expect(told.filter((data) => JSON.stringify(data) === '{}')).toHaveLength(2);
    expect(told).toContainEqual({ linkId });
    vi.setSystemTime(Date.now() + HOUR_MS + 1);
    await get(link);
    expect(await downloads(owner.tenant)).toHaveLength(5);
  });

  test('names who took the file: the caller, or whoever made the link', async () => {
    const owner = await tenantWithFile();
    const admin = await owner.tenant.key('admin');
    const maker = await newKey(admin, 'admin');
    const body = { id: owner.id };
    const made = await send('POST', LINK, { token: maker.secret, body });
    await get(pathOf(textAt(made, 'link.url')), { headers: { 'x-request-id': 'by-link' } });
    await get(`/api/admin/exports/get?id=${owner.id}`, { token: maker.secret });
    const audit = await owner.tenant.get('/api/admin/audit?action=export.downloaded');
    expect(audit.body.items).toMatchObject([
      { actor: { id: maker.id }, target: { type: 'export', id: owner.id }, data: {} },
      {
        actor: { id: maker.id, name: 'A admin' },
        target: { type: 'export', id: owner.id },
        data: { linkId: textAt(made, 'link.id') },
        requestId: 'by-link',
      },
    ]);
  });

  test('fails the download when it cannot be written', async () => {
    const owner = await tenantWithFile();
    const path = await linkFor(owner.tenant);
    const opened = vi.spyOn(env.EXPORTS, 'get');
    expect((await get(path)).status).toBe(200);
    expect(opened).toHaveBeenCalledTimes(1);
    await runInDurableObject(tenantObject(env, owner.tenant.id), (_, { storage }) => {
      storage.sql.exec('DROP TABLE downloads');
    });
    expect((await get(path)).status).toBe(500);
    expect(opened).toHaveBeenCalledTimes(1);
  });
});

test('an empty file is served whole, whatever range is asked for', async () => {
  const owner = await newTenant();
  await exportAll(owner.id, NDJSON);
  const path = await linkFor(owner);
  for (const range of ['bytes=0-', 'bytes=-5']) {
    const got = await get(path, { headers: { range } });
    expect(got).toMatchObject({ status: 200, bytes: 0 });
    expect(got.headers.get('content-length')).toBe('0');
  }
});

test('no line of the log has a token in it, whatever is done with a link', async () => {
  const path = await linkFor();
  const lines: string[] = [];
  for (const name of ['log', 'error'] as const)
    vi.spyOn(console, name).mockImplementation((line: string) => void lines.push(line));
  for (const asked of [path, `${path}/more`, `/x${path}`, path.replace('exports', 'EXPORTS')])
    for (const method of ['GET', 'HEAD', 'PUT']) await fetchApi(method, asked);
  await get(path, { headers: { range: 'bytes=999999-' } });
  const token = path.slice('/exports/'.length);
  expect(lines.length).toBeGreaterThan(5);
  expect(lines.join('\n')).toContain('/exports/:token');
  expect(lines.join('\n')).toContain(tenant.id);
  expect(lines.filter((line) => line.includes(token.slice(0, 60)))).toEqual([]);
});
