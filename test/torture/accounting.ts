/** Accounts for everything that was accepted: all checks, over all tenants. */
import { checkAudit } from './checks/audit.ts';
import { checkDeliveries } from './checks/deliveries.ts';
import { checkEffects } from './checks/effects.ts';
import { checkEvents } from './checks/events.ts';
import { type Check, caseOf, type Finding } from './checks/finding.ts';
import { checkRuns } from './checks/runs.ts';
import { checkVotes } from './checks/votes.ts';
import type { Recorded } from './record.ts';
import type { Story } from './story.ts';

const CHECKS: readonly Check[] = [
  checkEvents,
  checkRuns,
  checkVotes,
  checkDeliveries,
  checkEffects,
  checkAudit,
];

export function account(records: readonly Recorded[], story: Story): Finding[] {
  return records.flatMap((recorded) => {
    const of = caseOf(recorded, story);
    return CHECKS.flatMap((check) => check(of));
  });
}
