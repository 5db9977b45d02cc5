/**
 * `npm run bench:audit`: how fast `signalbox audit verify` is, start-up included, on a log of 500,000
 * entries with private parts; `-- --entries N` of another length. In each round by its side, on
 * the same file: `sha256sum`, and nothing but JSON.parse of each line. On a busy machine the seconds
 * mean little; the ratio to those, and the processor's time, say more.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeAuditLog } from './support/audit-log.ts';
import { now } from './support/clock.ts';
import { ROOT } from './support/processes.ts';
import { median } from './support/statistics.ts';

const ROUNDS = 5;
const MEBIBYTE = 1_048_576;

const { values } = parseArgs({ options: { entries: { type: 'string', default: '500000' } } });
const entries = Number(values.entries);
const directory = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
try {
  const file = join(directory, 'audit.ndjson');
  await writeAuditLog(file, 'acme', entries);
  console.log(`${entries} entries, ${(statSync(file).size / MEBIBYTE).toFixed(0)} MiB`);
  const commands: Record<string, readonly string[]> = {
    'audit verify': [process.execPath, 'scripts/signalbox.mjs', 'audit', 'verify', file],
    'JSON.parse of each line': [process.execPath, 'bench/parse-lines.ts', file],
    sha256sum: ['sha256sum', file],
  };
  const taken = new Map<string, Taken[]>();
  for (let round = 1; round <= ROUNDS; round += 1)
    for (const [name, command] of Object.entries(commands)) {
      const took = timed(command);
      taken.set(name, [...(taken.get(name) ?? []), took]);
      console.log(`${round}/${ROUNDS} ${name}: ${shown(took)}`);
    }
  const typical = (name: string): Taken => ({
    seconds: median((taken.get(name) ?? []).map(({ seconds }) => seconds)),
    cpuSeconds: median((taken.get(name) ?? []).map(({ cpuSeconds }) => cpuSeconds)),
  });
  const ours = typical('audit verify');
  for (const name of taken.keys()) {
    const took = typical(name);
    const ratio = (ours.seconds / took.seconds).toFixed(2);
    const rate = (entries / took.seconds).toFixed(0);
    console.log(`${name}: ${rate} entries/s, ${shown(took)}; audit verify takes ${ratio} of it`);
  }
} finally {
  rmSync(directory, { recursive: true });
}

interface Taken {
  readonly seconds: number;
  /** Of all its threads. */
  readonly cpuSeconds: number;
}

/** Runs a command by a shell that tells of its children's time (POSIX `times`). */
function timed(command: readonly string[]): Taken {
  const script = '"$@" > /dev/null || exit 1; times';
  const begun = now();
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script, 'sh', ...command], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
  const seconds = (now() - begun) / 1_000;
  const [, ofChildren = ''] = stdout.split('\n');
  const times = [...ofChildren.matchAll(/(\d+)m([\d.]+)s/g)];
  const cpuSeconds = times.reduce(
    (sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest),
    0,
  );
  return { seconds, cpuSeconds };
}

function shown({ seconds, cpuSeconds }: Taken): string {
  return `${seconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} s of the processor`;
}
