import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decisionTable } from '../fixtures/decision-rules.ts';

test('docs/approvals.md has the table that the routes are tested against', () => {
  const page = readFileSync(new URL('../../docs/approvals.md', import.meta.url), 'utf8');
  expect(page).toContain(decisionTable());
});
