/**
 * `signalbox audit verify FILE`: checks an export of a tenant's audit chain without a network, a
 * database or trust in whoever wrote it. Exit code 0: whole; 1: not, and where; 2: asked wrongly.
 */
import { createReadStream } from 'node:fs';
import { parseArgs } from 'node:util';
import { tenantId as tenantIdSchema } from '../../src/contract/json.ts';
import { chunksOf } from './lines.ts';
import { type Fault, type Summary, verifyLog } from './log.ts';
import { nodeSha256 } from './node-sha256.ts';
import { checkedByThreads } from './threads.ts';
import { BadRequest, readCheckpoint, readKeys, type Trusted } from './trust.ts';

export const USAGE = `Use: npx signalbox audit verify FILE [--tenant ID] [--keys FILE --checkpoint FILE ...]

  FILE          the entries, one on a line as JSON, oldest first; - for standard input
  --tenant      whose chain it must be; left out: the checkpoints say, or else the first entry
  --keys        the keys to trust: a copy of /.well-known/signalbox-audit-keys.json
  --checkpoint  a signed checkpoint that was kept elsewhere; may be given more than once

Exit code 0: the log is whole. 1: it is not, and where. 2: it could not be checked.`;

/** Runs the command and prints its answer. @returns the exit code */
export async function verifyCommand(args: readonly string[]): Promise<number> {
  try {
    const verdict = await verify(readArguments(args));
    if (verdict.ok) console.log(textOf(verdict));
    else console.error(textOfFault(verdict));
    return verdict.ok ? 0 : 1;
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    return 2;
  }
}

type Request = {
  file: string;
  tenant: string | null;
  keys: string | null;
  checkpoints: readonly string[];
};

async function verify({ file, tenant, keys, checkpoints }: Request): Promise<Fault | Summary> {
  const known = keys === null ? [] : await readKeys(keys);
  const trusted: Trusted[] = [];
  for (const path of checkpoints) {
    const checkpoint = await readCheckpoint(path, known);
    if (typeof checkpoint === 'string') return noEntry(checkpoint);
    trusted.push(checkpoint);
  }
  const tenantId = tenant ?? trusted[0]?.tenantId ?? null;
  const foreign = trusted.find((checkpoint) => checkpoint.tenantId !== tenantId);
  if (foreign !== undefined)
    return noEntry(`${foreign.label} is of tenant ${foreign.tenantId}, not of ${tenantId}`);
  try {
    const bytes = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 20 });
    const chunks = checkedByThreads(chunksOf(bytes), trusted.length > 0);
    return await verifyLog(chunks, tenantId, trusted, nodeSha256);
  } catch (error) {
    if (!isReadError(error)) throw error;
    throw new BadRequest(`${file} cannot be read: ${error.message}`);
  }
}

function noEntry(reason: string): Fault {
  return { ok: false, seq: null, line: null, reason };
}

function readArguments(args: readonly string[]): Request {
  const { values, positionals } = parsed(args);
  const [file, ...more] = positionals;
  const { tenant = null, keys = null, checkpoint: checkpoints = [] } = values;
  if (file === undefined || more.length > 0) throw new BadRequest('Name one file.');
  if (tenant !== null && !tenantIdSchema.safeParse(tenant).success)
    throw new BadRequest(`${tenant} is no tenant's id.`);
  if ((keys === null) !== (checkpoints.length === 0))
    throw new BadRequest(
      '--keys and --checkpoint go together: a checkpoint is worth its signature.',
    );
  return { file, tenant, keys, checkpoints };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        tenant: { type: 'string' },
        keys: { type: 'string' },
        checkpoint: { type: 'string', multiple: true },
      },
    });
  } catch (error) {
    throw new BadRequest(error instanceof Error ? error.message : String(error));
  }
}

function isReadError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

function textOf(summary: Summary): string {
  const { tenantId, entries, firstAt, lastAt, head, checkpoints, parts } = summary;
  const lines = [
    `The audit chain of ${tenantId} is whole.`,
    `entries      ${entries}${entries > 0 ? `, ${firstAt} to ${lastAt}` : ''}`,
    `head         ${head}`,
    `private      ${parts.whole} fit their digests, ${erasedText(parts)}`,
    `checkpoints  ${checkpoints === 0 ? 'none given: a log that was cut off or written anew would not show' : `${checkpoints} matched`}`,
  ];
  return lines.join('\n');
}

/** A part that is gone looks like one that was erased; only their number can tell. */
function erasedText({ erased, told }: Summary['parts']): string {
  const untold = erased - told;
  const all = `${erased} were erased`;
  return untold <= 0 ? all : `${all}, ${untold} of them by no erasure that the log tells of`;
}

function textOfFault({ seq, line, reason }: Fault): string {
  const place =
    seq === null ? '' : `\nfirst bad entry  ${seq}${line === null ? '' : ` (line ${line})`}`;
  return `The audit chain does not verify: ${reason}.${place}`;
}
