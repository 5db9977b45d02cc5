/** docs/audit-format.md: its example is right to the byte, and its lists are those of the code. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { AUDIT_ACTIONS } from '../../src/contract/audit.ts';
import { ERASED, formOf } from '../../src/engine/audit-parts.ts';
import { canonicalText } from '../../src/engine/canonical.ts';
import { hashJson, verifyChain } from '../../src/engine/chain.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(join(ROOT, 'docs/audit-format.md'), 'utf8');
const blocks = [...page.matchAll(/^```(\w*) ?(\S*)\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', file = '', text = '']) => ({ language, file, text }),
);
const parsed = (name: string) => JSON.parse(fileOf(name));

function fileOf(name: string): string {
  const text = blocks.find(({ file }) => file === name)?.text;
  if (text === undefined) throw new Error(`the page has no ${name}`);
  return text;
}

/** Commands as the page shows them, each with what it prints. */
const commands = blocks
  .filter(({ language }) => language === 'console')
  .flatMap(({ text }) =>
    [...text.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)].map(([, command = '', prints = '']) => ({
      command,
      prints,
    })),
  );

describe('the worked example', () => {
  const directory = mkdtempSync(join(tmpdir(), 'signalbox-page-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  for (const { file, text } of blocks) if (file !== '') writeFileSync(join(directory, file), text);
  const script = join(ROOT, 'scripts/signalbox.mjs');
  const has = (tool: string) => spawnSync(tool, ['--version']).status === 0;

  test('has commands of every kind', () => {
    expect(commands.length).toBeGreaterThan(6);
    for (const tool of ['printf', 'tr -d', 'jq', 'npx signalbox'])
      expect(commands.some(({ command }) => command.includes(tool))).toBe(true);
  });

  const missing = ['jq', 'sha256sum'].filter((tool) => !has(tool));
  test.each(commands)('$ $command', { timeout: 60_000 }, ({ command, prints }) => {
    if (missing.some((tool) => command.includes(tool))) return;
    const runnable = command.replace('npx signalbox', `"${process.execPath}" "${script}"`);
    const { stdout, stderr } = spawnSync('sh', ['-c', runnable], {
      cwd: directory,
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    expect(stdout, stderr).toBe(prints);
  });

  test('is what the engine makes of it, before and after the erasure', () => {
    const [first, entry, erased] = [
      parsed('first.json'),
      parsed('entry.json'),
      parsed('erased.json'),
    ];
    const { hash, ...rest } = entry;
    expect(canonicalText(formOf(rest))).toBe(fileOf('form.json').trimEnd());
    expect(hashJson(formOf(rest))).toBe(hash);
    expect(verifyChain('demo', [first, entry])).toMatchObject({ ok: true, head: hash });
    expect(verifyChain('demo', [first, erased])).toMatchObject({ ok: true, head: hash });
    expect(erased.data.comment).toBe(ERASED);
    expect({ ...erased, data: { ...erased.data, comment: entry.data.comment } }).toEqual({
      ...entry,
      private: { ...entry.private, 'data.comment': erased.private['data.comment'] },
    });
    expect(fileOf('erased.json')).not.toContain('Carla');
  });
});

test('every action of the audit is on the page, in the order of the code, and no other', () => {
  const rows = [...page.matchAll(/^\| `(\w+\.\w+)` \|/gm)].map(([, action]) => action);
  expect(rows).toEqual([...AUDIT_ACTIONS]);
});
