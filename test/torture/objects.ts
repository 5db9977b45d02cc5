/**
 * Whether the read model says what the objects say. A run's own object answers a cancel that comes too
 * late with the run as it has it.
 */
import * as z from 'zod';
import { run } from '../../src/contract/runs.ts';
import type { Server } from '../e2e/support/server.ts';
import type { Chance } from './chance.ts';
import { type Finding, finder } from './checks/finding.ts';
import type { Recorded } from './record.ts';
import type { Shop } from './shop.ts';

const ASKED = 150;
const differs = finder('objects that differ');
const refused = z.object({ code: z.literal('run_finished'), run });

export async function compareObjects(
  server: Server,
  { keys }: Shop,
  { runs }: Recorded,
  chance: Chance,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const some = runs.filter(() => chance.happens(ASKED / Math.max(runs.length, 1)));
  for (const shown of some) {
    const body = { runId: shown.id };
    const answer = await server
      .as(keys.admin)
      .call('POST', '/api/admin/workflow-runs/cancel', body);
    const parsed = refused.safeParse(answer.status === 409 ? JSON.parse(answer.text) : null);
    if (JSON.stringify(parsed.data?.run) !== JSON.stringify(shown))
      findings.push(differs(shown.id, `${answer.status} ${answer.text.slice(0, 300)}`));
  }
  return findings;
}
