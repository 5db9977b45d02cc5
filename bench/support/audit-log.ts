/** A long audit log as a busy tenant has it: most entries have private parts, some of them erased. */
import { hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { AuditEntry, AuditFact } from '../../src/contract/audit.ts';
import type { Actor, JsonObject } from '../../src/contract/json.ts';
import { ERASED, withParts, withPrivate } from '../../src/engine/audit-parts.ts';
import { genesisHash, link } from '../../src/engine/chain.ts';

const START = Date.parse('2026-03-01T12:00:00.000Z');
const ENTRIES_OF_RUN = 4;
/** One run in so many was of a customer who asked to be erased. */
const ERASED_EVERY = 50;
const LINES_AT_ONCE = 1_000;
const SYSTEM: Actor = { type: 'system', id: 'signalbox', name: 'Signalbox' };
const RULE: JsonObject = {
  required: true,
  approvals: 1,
  roles: ['approver'],
  members: [],
  expiresIn: '72h',
  onExpire: 'deny',
  escalateTo: null,
  remindEvery: null,
  selfApproval: false,
  reasonRequired: false,
  edit: 'admin',
  breakGlass: false,
  among: [],
};

/** Writes so many entries, one on a line, oldest first. */
export async function writeAuditLog(path: string, tenantId: string, length: number): Promise<void> {
  await pipeline(linesOf(auditLog(tenantId, length)), createWriteStream(path));
}

function* linesOf(entries: Iterable<AuditEntry>): Generator<string> {
  let lines: string[] = [];
  for (const entry of entries) {
    lines.push(`${JSON.stringify(entry)}\n`);
    if (lines.length < LINES_AT_ONCE) continue;
    yield lines.join('');
    lines = [];
  }
  yield lines.join('');
}

/** The entries, each made when it is asked for. */
export function* auditLog(tenantId: string, length: number): Generator<AuditEntry> {
  let prevHash = genesisHash(tenantId);
  for (let seq = 1; seq <= length; seq += 1) {
    const fact = factOf(tenantId, seq);
    const at = new Date(START + seq * 750).toISOString();
    const told = { seq, id: idOf('aud', seq), at, ...fact, prevHash };
    const entry = link(withPrivate(told, privateOf(fact), () => saltOf(seq)));
    prevHash = entry.hash;
    const run = Math.floor(seq / ENTRIES_OF_RUN);
    yield run % ERASED_EVERY === ERASED_EVERY - 1 ? erased(entry) : entry;
  }
}

function privateOf({ actor, data }: AuditFact): string[] {
  const fields = ['name', 'comment', 'inputHash'].filter((name) => name in data);
  return [
    ...(actor.type === 'member' ? ['actor.name'] : []),
    ...fields.map((name) => `data.${name}`),
  ];
}

/** What an export shows of an entry of which every field of `data` that can be erased was. */
function erased(entry: AuditEntry): AuditEntry {
  const { private: parts = {} } = entry;
  const gone = Object.keys(parts).filter((path) => path.startsWith('data.'));
  if (gone.length === 0) return entry;
  const { data = {} } = withParts(
    { data: entry.data },
    new Map(gone.map((path) => [path, ERASED])),
  );
  const left = Object.entries(parts).map(([path, { digest, salt }]) => [
    path,
    gone.includes(path) ? { digest } : { digest, salt },
  ]);
  return { ...entry, ...JSON.parse(JSON.stringify({ data })), private: Object.fromEntries(left) };
}

/** Of a run: it is asked for, looked at, approved; and a workflow is changed. */
function factOf(tenantId: string, seq: number): AuditFact {
  const run = Math.floor(seq / ENTRIES_OF_RUN);
  const [runId, requestId] = [idOf('run', run), idOf('req', run)];
  const [workflowId, workflowVersion] = [idOf('wf', run % 40), (run % 9) + 1];
  const approvalId = `${runId.replace('run', 'apr')}-1`;
  const of = { workflowId, workflowVersion, stepId: 'refund', approvalId };
  const target = { type: 'run', id: runId };
  const member = run % 12;
  const actor: Actor = { type: 'member', id: idOf('mem', member), name: `Member ${member}` };
  if (seq === 1) {
    const data = { name: 'Example Shop', firstKey: idOf('key', 1) };
    const platform: Actor = { type: 'platform', id: 'platform', name: 'Platform' };
    const tenant = { type: 'tenant', id: tenantId };
    return { actor: platform, action: 'tenant.created', target: tenant, requestId, data };
  }
  switch (seq % ENTRIES_OF_RUN) {
    case 0: {
      const expiresAt = new Date(START + run * 3_000 + 259_200_000).toISOString();
      const inputHash = hash('sha256', runId, 'hex');
      const data = { ...of, kind: 'gate', inputHash, expiresAt, rule: RULE };
      return { actor: SYSTEM, action: 'approval.requested', target, requestId, data };
    }
    case 1:
      return { actor, action: 'approval.viewed', target, requestId, data: of };
    case 2: {
      const comment = `Photo seen, order #${run} is broken – “refund it” ✓`;
      const data = { ...of, comment, outcome: 'granted' };
      return { actor, action: 'approval.approved', target, requestId, data };
    }
    default: {
      const data = { name: `Large refunds ${run % 40}`, version: workflowVersion };
      const workflow = { type: 'workflow', id: workflowId };
      return { actor, action: 'workflow.updated', target: workflow, requestId, data };
    }
  }
}

function idOf(prefix: string, number: number): string {
  return `${prefix}_${number.toString(16).padStart(32, '0')}`;
}

/** The same for every bench, and not to be guessed by its length alone. */
function saltOf(seq: number): string {
  return hash('sha256', `salt ${seq}`, 'hex').slice(0, 32);
}
