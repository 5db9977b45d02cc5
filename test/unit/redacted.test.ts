/** What a fault says of itself loses what looks like a secret, and stays readable. */
import { afterEach, expect, test, vi } from 'vitest';
import { logError } from '../../src/log.ts';
import { redacted } from '../../src/redacted.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test.each([
  ['Network connection lost.', 'Network connection lost.'],
  ['D1_ERROR: UNIQUE constraint failed: runs.id', 'D1_ERROR: UNIQUE constraint failed: runs.id'],
  [`the key sbx_acme_${'0a'.repeat(32)} is wrong`, 'the key sbx_acme_… is wrong'],
  [`sbf_a-b_${'0a'.repeat(32)}`, 'sbf_a-b_…'],
  [
    'Fetch API cannot load: ftp://ann:pw@x.example/a?k=s',
    'Fetch API cannot load: ftp://x.example/…',
  ],
  [
    'Invalid URL: https://hooks.example.com/T0/B0/secret',
    'Invalid URL: https://hooks.example.com/…',
  ],
  ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw and shpat_0123456789', 'whsec_… and shpat_…'],
  ['sk_live_0123456789abcdef rk_test_0123456789 re_0123_456789', 'sk_… rk_… re_…'],
  ['Authorization: Bearer abc.def', 'Authorization: Bearer …'],
  ['eyJhbGciOiJSUzI1NiJ9.eyJlbWFpbCI6ImEifQ.c2ln', 'eyJ…'],
  ['to Ann Reyes <ann@example.com>, b@example.org', 'to Ann Reyes <…@…>, …@…'],
  ['run_019a6b3c5d7e7f8091a2b3c4d5e6f708 of wf_1', 'run_019a6b3c5d7e7f8091a2b3c4d5e6f708 of wf_1'],
])('%s', (text, told) => {
  expect(redacted(text)).toBe(told);
});

test('it takes no long time over a long text', () => {
  const begun = Date.now();
  for (const text of [
    'a@'.repeat(50_000),
    'http://'.repeat(20_000),
    'x.'.repeat(50_000),
    'eyJ'.repeat(50_000),
  ])
    redacted(text);
  expect(Date.now() - begun).toBeLessThan(2_000);
});

test('a log line quotes nothing of what could not be parsed', () => {
  const lines: string[] = [];
  vi.spyOn(console, 'error').mockImplementation((line: string) => void lines.push(line));
  for (const text of ['shpat_canary', '{"token": canary}', 'canary']) {
    try {
      JSON.parse(text);
    } catch (error) {
      logError({ what: 'parse_failed' }, error);
    }
  }
  logError({ what: 'query_failed' }, new Error('Failed query: select 1 params: canary'));
  expect(lines).toHaveLength(4);
  expect(lines.join('\n')).not.toContain('canary');
});
