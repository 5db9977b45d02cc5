/** What `npm test` makes of a tool that ends, fails, or gets stuck. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runStep } from '../../scripts/support/step.mjs';

const folder = mkdtempSync(join(tmpdir(), 'signalbox-step-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function scriptOf(name: string, code: string) {
  const script = join(folder, `${name}.mjs`);
  writeFileSync(script, code);
  return { name, script, args: [] };
}

test('a tool that ends well has passed, one that says it failed has failed', async () => {
  expect(await runStep(scriptOf('well', ''))).toBe('passed');
  expect(await runStep(scriptOf('badly', 'process.exitCode = 3;'))).toBe('failed');
  expect(
    await runStep({ ...scriptOf('heard', 'process.exitCode = 3;'), silence: { seconds: 60 } }),
  ).toBe('failed');
});

test('one that says nothing for too long is stuck, and ended', async () => {
  const step = scriptOf('stuck', "console.log('begun'); setInterval(() => {}, 1_000);");
  expect(await runStep({ ...step, silence: { seconds: 2 } })).toBe('stuck');
});

test('one that goes on saying something is left at work', async () => {
  const step = scriptOf(
    'slow',
    "let said = 0; const timer = setInterval(() => { console.log('at work'); if (++said === 4) clearInterval(timer); }, 1_500);",
  );
  expect(await runStep({ ...step, silence: { seconds: 4 } })).toBe('passed');
});

test('after its last words it has less time to end, and only then', async () => {
  const lastWords = { text: 'that was all', seconds: 1 };
  const silence = { seconds: 60, lastWords };
  const hanging = 'setInterval(() => {}, 1_000);';
  const ended = scriptOf('ended', "console.log('that was all');");
  const stuck = scriptOf('stuck-at-the-end', `console.log('that was all'); ${hanging}`);
  const slow = scriptOf('quiet', "setTimeout(() => console.log('that was all'), 2_000);");
  expect(await runStep({ ...ended, silence })).toBe('passed');
  expect(await runStep({ ...stuck, silence })).toBe('stuck');
  expect(await runStep({ ...slow, silence })).toBe('passed');
});
