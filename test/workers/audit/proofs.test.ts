/** Proofs by API, and the export: what an auditor takes away verifies without us. */
import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import type { AuditEntry } from '../../../src/contract/audit.ts';
import { inclusionProof } from '../../../src/contract/checkpoints.ts';
import { insertAudit } from '../../../src/db/audit.ts';
import { genesisHash, link } from '../../../src/engine/chain.ts';
import { leafHash } from '../../../src/engine/merkle.ts';
import { verifyInclusion } from '../../../src/engine/merkle-proof.ts';
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
