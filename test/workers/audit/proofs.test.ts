/** Proofs by API, and the export: what an auditor takes away verifies without us. */
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import type { AuditEntry } from '../../../src/contract/audit.ts';
import { inclusionProof } from '../../../src/contract/checkpoints.ts';
import { auditPages, insertAudit } from '../../../src/db/audit.ts';
import { proveConsistency, proveInclusion } from '../../../src/db/audit-proofs.ts';
import { genesisHash, link } from '../../../src/engine/chain.ts';
import {
  leafHash,
  inclusionProof as merkleInclusion,
  subtreesOf,
} from '../../../src/engine/merkle.ts';
import { verifyInclusion } from '../../../src/engine/merkle-proof.ts';
import { quiet } from '../objects/support/history.ts';
import { faultPaths, listAt } from '../support/answers.ts';
import { fetchApi, newTenant } from '../support/api.ts';
import {
  check,
  exported,
  exportLines,
  happen,
  listed,
  publishedKeys,
  signed,
  verdictOn,
} from './support.ts';

/** While `work` is done, D1 lets a row of history be changed, as whoever holds it could. */
async function withoutTriggers<T>(work: () => Promise<T>): Promise<T> {
  const { results } = await env.DB.prepare(
    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'",
  ).all<{ name: string; sql: string }>();
  for (const { name } of results) await env.DB.prepare(`DROP TRIGGER ${name}`).run();
  try {
    return await work();
  } finally {
    for (const { sql } of results) await env.DB.prepare(sql).run();
  }
}

test('every entry of a chain is shown to be in every checkpoint after it', async () => {
  const tenant = await newTenant();
  await tenant.key('viewer');
  for (const count of [0, 3, 5]) {
    await happen(tenant, count);
    const { size, root } = await signed(tenant);
    const entries = await exported(tenant);
    for (const { seq, hash } of entries.slice(0, size)) {
      const path = `/api/admin/audit/proof?seq=${seq}&size=${size}`;
      const proof = inclusionProof.parse((await tenant.get(path)).body);
      expect(proof).toMatchObject({ seq, size, root, leafHash: leafHash(hash) });
      const claim = { index: seq - 1, size, leaf: leafHash(hash), root };
      expect(verifyInclusion(claim, proof.hashes)).toBe(true);
      expect(verifyInclusion({ ...claim, index: seq % size }, proof.hashes)).toBe(size === 1);
    }
  }
});

test('a long chain keeps its subtrees, and a proof reads them in the place of their leaves', async () => {
  const tenant = await newTenant();
  await Promise.all(Array.from({ length: 130 }, () => happen(tenant, 4)));
  const { size, root } = await signed(tenant);
  await quiet(tenant.id);
  const { results } = await env.DB.prepare(
    'SELECT level, place FROM audit_subtrees WHERE tenant_id = ? ORDER BY place',
  )
    .bind(tenant.id)
    .all();
  expect(results).toEqual([
    { level: 8, place: 0 },
    { level: 8, place: 1 },
  ]);
  const leaves = (await exported(tenant)).slice(0, size).map(({ hash }) => leafHash(hash));
  const expected = { root, hashes: merkleInclusion(subtreesOf(leaves), 499, size) };
  const prove = () => proveInclusion(env.DB, tenant.id, 500, size);
  const run = (sql: string) => env.DB.prepare(sql).bind(tenant.id).run();
  expect(await prove()).toMatchObject(expected);
  await withoutTriggers(async () => {
    await run('CREATE TABLE away AS SELECT * FROM audit WHERE tenant_id = ? AND seq <= 256');
    await run('DELETE FROM audit WHERE tenant_id = ? AND seq <= 256');
    expect(await prove()).toMatchObject(expected);
    await run('INSERT INTO audit SELECT * FROM away WHERE tenant_id = ?');
    await env.DB.prepare('DROP TABLE away').run();
  });
  await run('DELETE FROM audit_subtrees WHERE tenant_id = ?');
  expect(await prove()).toMatchObject(expected);
  expect(await proveConsistency(env.DB, tenant.id, 300, size)).toMatchObject({ toRoot: root });
});

test('what there is no proof of is 404 or 400', async () => {
  const tenant = await newTenant();
  await tenant.key('viewer');
  const get = async (query: string) => await tenant.get(`/api/admin/audit/${query}`);
  expect((await get('proof?seq=1&size=99')).status).toBe(404);
  expect((await get('consistency?from=1&to=99')).status).toBe(404);
  expect(faultPaths(await get('proof?seq=2&size=1'))).toEqual(['query.seq']);
  expect(faultPaths(await get('consistency?from=2&to=1'))).toEqual(['query.from']);
  for (const wrong of ['0', '-1', '1.5', 'x', '', '9007199254740993'])
    expect(faultPaths(await get(`proof?seq=${wrong}`)), wrong).toEqual(['query.seq']);
});

test('the export is the list, oldest first, and the offline verifier takes it', async () => {
  const tenant = await newTenant();
  await tenant.key('viewer');
  await happen(tenant, 4);
  await signed(tenant);
  await happen(tenant, 3);
  const lines = await exportLines(tenant);
  const items = listAt(await tenant.get('/api/admin/audit?limit=200'));
  const served = items.toReversed().map((item) => JSON.stringify(item));
  expect(lines).toEqual(served);
  expect(await verdictOn(tenant, lines, await listed(tenant))).toMatchObject({
    ok: true,
    checkpoints: 1,
  });
});

test('an export of several pages is whole, and is named as a file', async () => {
  const tenant = await newTenant();
  const before = await exported(tenant);
  const [first] = before;
  if (first === undefined) throw new Error('a tenant begins with an entry');
  const chain: AuditEntry[] = [...before];
  while (chain.length < 1_000) {
    const seq = chain.length + 1;
    const { hash: prevHash = genesisHash(tenant.id) } = chain.at(-1) ?? {};
    const { actor, target, action } = first;
    const at = new Date(Date.UTC(2030, 0, 1) + seq * 1_000).toISOString();
    const fact = { seq, id: `aud_${seq}`, at, actor, action, target, requestId: 'r', data: {} };
    chain.push(link({ ...fact, prevHash }));
  }
  await insertAudit(env.DB, tenant.id, chain).run();
  const lines = await exportLines(tenant);
  expect(lines).toEqual(chain.map((entry) => JSON.stringify(entry)));
  expect(await verdictOn(tenant, lines, await listed(tenant))).toMatchObject({
    ok: true,
    entries: 1_000,
  });
  const query = '?from=2030-01-01T00:08:20Z&to=2030-01-01T00:08:30Z';
  expect((await exportLines(tenant, query)).length).toBe(10);
  const token = await tenant.key('admin');
  const { headers, body } = await fetchApi('GET', '/api/admin/audit/export', { token });
  await body?.cancel();
  expect(headers.get('content-type')).toBe('application/x-ndjson');
  expect(headers.get('cache-control')).toBe('no-store');
  const name = `attachment; filename="audit-${tenant.id}.ndjson"`;
  expect(headers.get('content-disposition')).toBe(name);
});

test('an export reads on in D1 as its reader does, by pages that large entries make shorter', async () => {
  const tenant = await newTenant();
  const [first] = await exported(tenant);
  if (first === undefined) throw new Error('a tenant begins with an entry');
  const { actor, target } = first;
  const note = 'x'.repeat(10_000);
  const chain: AuditEntry[] = [first];
  for (let seq = 2; seq <= 900; seq += 1) {
    const fact = { seq, id: `aud_${seq}`, at: first.at, actor, action: 'a.b', target };
    const data = { note: seq > 600 ? note : '' };
    const prevHash = chain.at(-1)?.hash ?? '';
    chain.push(link({ ...fact, requestId: 'r', data, prevHash }));
  }
  for (let from = 0; from < chain.length; from += 100)
    await insertAudit(env.DB, tenant.id, chain.slice(from, from + 100)).run();
  const pages = auditPages(env.DB, tenant.id, {});
  const counts: number[] = [];
  for await (const page of pages) counts.push(page.split('\n').length - 1);
  // The pages after the first few are full of large entries.
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(chain.length);
  expect(counts.slice(0, 2)).toEqual([100, 500]);
  expect(Math.max(...counts.slice(3))).toBeLessThan(110);
  const token = await tenant.key('admin');
  const { body } = await fetchApi('GET', '/api/admin/audit/export', { token });
  const reader = body?.getReader();
  const taken = await reader?.read();
  await withoutTriggers(() =>
    env.DB.prepare('DELETE FROM audit WHERE tenant_id = ?').bind(tenant.id).run(),
  );
  let rest = new TextDecoder().decode(taken?.value);
  for (let more = await reader?.read(); more?.done === false; more = await reader?.read())
    rest += new TextDecoder().decode(more.value);
  expect(rest.split('\n').length - 1).toBeLessThanOrEqual(600);
});

test('a row that was changed in D1 is found by the export and the verifier', async () => {
  const tenant = await newTenant();
  await happen(tenant, 5);
  await signed(tenant);
  await withoutTriggers(() =>
    env.DB.prepare("UPDATE audit SET actor_name = 'Someone' WHERE tenant_id = ? AND seq = 3")
      .bind(tenant.id)
      .run(),
  );
  const verdict = await verdictOn(tenant, await exportLines(tenant), await listed(tenant));
  expect(verdict).toMatchObject({ ok: false, seq: 3 });
});

test('a chain that was written anew or cut off in D1 contradicts the checkpoint', async () => {
  const tenant = await newTenant();
  await happen(tenant, 5);
  const checkpoint = await signed(tenant);
  const entries = await exported(tenant);
  const forged: AuditEntry[] = [];
  for (const { hash: _hash, ...entry } of entries) {
    const prevHash = forged.at(-1)?.hash ?? genesisHash(tenant.id);
    forged.push(link({ ...entry, requestId: 'forged', prevHash }));
  }
  await withoutTriggers(async () => {
    await env.DB.prepare('DELETE FROM audit WHERE tenant_id = ?').bind(tenant.id).run();
    await insertAudit(env.DB, tenant.id, forged).run();
  });
  const lines = await exportLines(tenant);
  expect(await verdictOn(tenant, lines, await listed(tenant))).toMatchObject({ ok: false, seq: 1 });
  expect(await verdictOn(tenant, lines.slice(0, 2), await listed(tenant))).toMatchObject({
    ok: false,
  });
  await expect(check(tenant, checkpoint, await publishedKeys())).rejects.toThrow();
});

test('another tenant exports its own entries alone, and only an admin exports', async () => {
  const [tenant, other] = [await newTenant(), await newTenant()];
  await happen(tenant, 3);
  for (const line of await exportLines(other)) expect(line).not.toContain(tenant.id);
  const viewer = await fetchApi('GET', '/api/admin/audit/export', {
    token: await tenant.key('viewer'),
  });
  expect(viewer.status).toBe(403);
});
