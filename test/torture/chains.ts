/** The audit chains, checked as a customer would: exported, and verified offline against checkpoints. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { auditCheckpoint } from '../../src/contract/checkpoints.ts';
import type { Server } from '../e2e/support/server.ts';
import { listAll } from '../e2e/support/tenant.ts';
import { type Finding, finder } from './checks/finding.ts';
import type { Shop } from './shop.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const broken = finder('audit chain');

export async function verifyChain(server: Server, { id, keys }: Shop): Promise<Finding[]> {
  const admin = server.as(keys.admin);
  const dir = mkdtempSync(join(tmpdir(), 'torture-chain-'));
  const put = (name: string, text: string) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  try {
    const checkpoints = await listAll(admin, '/api/admin/audit/checkpoints', '', auditCheckpoint);
    const published = await admin.call('GET', '/.well-known/signalbox-audit-keys.json');
    const exported = await admin.call('GET', '/api/admin/audit/export');
    const args = [
      ...['audit', 'verify', put('export.ndjson', exported.text), '--tenant', id],
      ...['--keys', put('keys.json', published.text)],
      ...checkpoints.flatMap(({ note }, n) => ['--checkpoint', put(`${n}.txt`, note)]),
    ];
    const cli = join(ROOT, 'scripts', 'signalbox.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
      encoding: 'utf8',
    });
    return status === 0 ? [] : [broken(id, `the verifier says: ${stdout}${stderr}`)];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
