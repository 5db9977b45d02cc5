/** What only the living product can be asked in the end, beside its log. */
import type { Server } from '../e2e/support/server.ts';
import { postEvents, runIn } from '../e2e/support/tenant.ts';
import { verifyChain } from './chains.ts';
import type { Chance } from './chance.ts';
import { type Finding, finder } from './checks/finding.ts';
import { compareObjects } from './objects.ts';
import type { Recorded } from './record.ts';
import type { Shop } from './shop.ts';

const stuck = finder('liveness');

/** Chains, objects, and whether it still works. */
export async function examine(
  server: Server,
  shops: readonly Shop[],
  records: readonly Recorded[],
  chance: Chance,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [index, shop] of shops.entries()) {
    const recorded = records[index];
    findings.push(...(await verifyChain(server, shop)));
    if (recorded !== undefined)
      findings.push(...(await compareObjects(server, shop, recorded, chance)));
    findings.push(...(await checkAlive(server, shop)));
  }
  return findings;
}

async function checkAlive(server: Server, shop: Shop): Promise<Finding[]> {
  try {
    const [taken] = await postEvents(server, shop, { type: 'custom.straight', data: {} });
    await runIn(server, shop, taken?.runs[0] ?? '', 'succeeded');
    return [];
  } catch (error) {
    return [stuck(shop.id, `it takes no event any more: ${error}`)];
  }
}
