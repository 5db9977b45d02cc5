/**
 * What torture and soak have in common: shops with everybody at work, whatever is done to the product
 * meanwhile, a quiet end, and an account of all that was ever accepted.
 */

import type { Server } from '../e2e/support/server.ts';
import { newSigningSecret } from '../e2e/support/tenant.ts';
import { account } from './accounting.ts';
import { chanceOf } from './chance.ts';
import { type Finding, finder } from './checks/finding.ts';
import { examine } from './examination.ts';
import { startPlayers } from './players.ts';
import { openReceivers } from './receivers.ts';
import { type Recorded, readRecord } from './record.ts';
import { untilSettled } from './settling.ts';
import { openShop, type Shop } from './shop.ts';
import type { Story } from './story.ts';

export interface Setting {
  /** Decides what is drawn, not what the machine makes of it. */
  readonly seed: number;
  readonly tenants: number;
  /** Senders of each tenant. */
  readonly senders: number;
  /** What each of them waits after a request. */
  readonly pauseMs: number;
  /** How long what goes under an `Idempotency-Key` is repeated. */
  readonly patienceMs: number;
}

export interface Ending {
  readonly findings: readonly Finding[];
  readonly story: Story;
  readonly records: readonly Recorded[];
  /** When every run that was begun had ended. */
  readonly settledAt: number;
}

const stuck = finder('liveness');

/** @param act what is done to the product while everybody is at work */
export async function play(
  setting: Setting,
  story: Story,
  server: () => Server,
  act: (shops: readonly Shop[]) => Promise<void>,
): Promise<Ending> {
  const chance = chanceOf(setting.seed);
  const secret = newSigningSecret();
  const receivers = await openReceivers(story.arrivals, secret, chance.branch());
  try {
    const shops: Shop[] = [];
    for (let n = 0; n < setting.tenants; n++)
      shops.push(await openShop(server(), receivers.origin, secret));
    const players = startPlayers(server().origin, receivers.origin, shops, story, setting);
    await act(shops);
    receivers.calm();
    const finished = players.finish();
    await untilSettled(server(), shops);
    const settledAt = Date.now();
    // Whoever repeats under an Idempotency-Key may wait long, and then begin something.
    await finished;
    const settled = await untilSettled(server(), shops);
    await players.end();
    const records = await Promise.all(shops.map((shop) => readRecord(server(), shop)));
    const findings = [
      ...(settled ? [] : [stuck('runs', 'not all of them have ended')]),
      ...account(records, story),
      ...(await examine(server(), shops, records, chance)),
    ];
    return { findings, story, records, settledAt };
  } finally {
    await receivers.close();
  }
}
