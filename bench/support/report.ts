/** The table, and what has to be known to read it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Bench, Row } from '../measures/measure.ts';
import { ROOT } from './processes.ts';

export function tableOf(rows: readonly Row[], names: readonly string[]): string {
  const head = ['measure', ...names, 'times better', 'asked', ''];
  const cells = rows.map(({ what, figures, ratio, asked }) => [
    what,
    ...names.map((name) => figures[name] ?? '—'),
    ratio === '' ? '—' : ratio,
    asked?.words ?? '—',
    asked === null ? '' : asked.reached ? 'reached' : '**not reached**',
  ]);
  return [head, head.map(() => '---'), ...cells].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

type Run = Pick<Bench, 'rounds' | 'part' | 'systems'> & { readonly begun: Date };

export function circumstances({ rounds, part, systems, begun }: Run): string {
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const minutes = Math.round((Date.now() - begun.getTime()) / 60_000);
  const busy = loadavg().map((load) => load.toFixed(1));
  return [
    `- ${begun.toISOString().slice(0, 16).replace('T', ' ')} UTC, commit ${commit()}, ${minutes} minutes`,
    `- Medians of ${rounds} interleaved rounds (lowest–highest)${part === 1 ? '' : `, ${part} of the usual load: a quick run`}`,
    `- Machine: ${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, load ${busy.join(' ')} at the end`,
    `- Node ${process.version}, wrangler ${devDependencies.wrangler}, Miniflare ${devDependencies.miniflare}`,
    ...systems.facts().map((fact) => `- ${fact}`),
  ].join('\n');
}

function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' });
  const changed = git('status', '--porcelain', '--untracked-files=no').trim() !== '';
  return `${git('rev-parse', '--short', 'HEAD').trim()}${changed ? ' with changes' : ''}`;
}
