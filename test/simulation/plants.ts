/**
 * Faults that are planted into the product's sources; the simulation has to find each. The last ones were
 * not planted at first: it found them, and they are put back.
 */

export interface Plant {
  readonly name: string;
  readonly changes: readonly PlantedChange[];
  /** Where a search begins that finds it soon; else from the first seed on, in short schedules. */
  readonly search?: { readonly seed: number; readonly steps: number };
}

interface PlantedChange {
  /** The end of the source's path. */
  readonly file: string;
  /** What stands there once. */
  readonly from: string;
  readonly to: string;
}

export const PLANTS: readonly Plant[] = [
  {
    name: 'send-before-commit',
    changes: [
      {
        file: 'src/objects/run.ts',
        from: `    await this.#commit(seed, decision);
    this.#perform(seed, decision.entries);
    if (projected)`,
        to: `    this.#run = decision.run;
    this.#perform(seed, decision.entries);
    await scheduler.wait(1);
    await this.#commit(seed, decision);
    if (projected)`,
      },
    ],
  },
  {
    name: 'alarm-after-effect',
    changes: [
      {
        file: 'src/objects/delivery.ts',
        from: `    await this.#alarm.arm(Date.now() + SAFETY_MS);
    this.flush();
    if (projected) await this.readModel.caughtUp();`,
        to: `    this.flush();
    if (projected) await this.readModel.caughtUp();
    await this.#alarm.arm(Date.now() + SAFETY_MS);`,
      },
    ],
  },
  {
    name: 'vote-twice',
    search: { seed: 91, steps: 200 },
    changes: [
      {
        file: 'src/engine/approval.ts',
        from: '  return taken === undefined\n',
        to: '  return taken !== null\n',
      },
    ],
  },
  {
    name: 'event-twice',
    changes: [
      {
        file: 'src/objects/intake.ts',
        from: 'WHERE state IN (0, 1, 2, 3, 4) AND source',
        to: 'WHERE state IN (0, 1, 2, 3) AND source',
      },
    ],
  },
  {
    name: 'acknowledged-before-applied',
    changes: [
      {
        file: 'src/objects/read-model.ts',
        from: '    const isNew = await applyParcels(this.#stores(), tenant.id, parcels);',
        to: '    const isNew = true;',
      },
      {
        file: 'src/objects/read-model.ts',
        from: '    openRuns.told(untold);',
        to: '    await applyParcels(this.#stores(), tenant.id, parcels);\n    openRuns.told(untold);',
      },
    ],
  },
  {
    name: 'other-inputs-than-approved',
    changes: [
      {
        file: 'src/actions/attempt.ts',
        from: 'if (approved !== null && !isAsApproved(attempt, approved))',
        to: 'if (approved !== null && !isAsApproved(attempt, approved) && isAsApproved === null)',
      },
      {
        file: 'src/objects/plan.ts',
        from: '        action: step.action,\n        input,',
        to: '        action: step.action,\n        input: state.attempts > 1 ? { ...input, body: null } : input,',
      },
    ],
  },
  {
    name: 'report-taken-twice',
    changes: [
      {
        file: 'src/objects/ledger.ts',
        from: 'report.entries.filter((entry) => entry.seq > taken)',
        to: 'report.entries.filter((entry) => entry.seq > 0)',
      },
    ],
  },
  {
    name: 'found: an event without an id is taken again by itself',
    search: { seed: 351, steps: 150 },
    changes: [
      {
        file: 'src/http/sender.ts',
        from: 'events.every(({ id }) => id !== undefined)',
        to: 'true',
      },
    ],
  },
  {
    name: 'found: no alarm behind a run that is over and not yet emptied',
    search: { seed: 2_141, steps: 300 },
    changes: [
      {
        file: 'src/objects/run.ts',
        from: 'const hasToGo = isOver || this',
        to: 'const hasToGo = this',
      },
    ],
  },
  {
    name: 'found: no alarm behind a mail that is being sent',
    changes: [
      {
        file: 'src/objects/mail-queue.ts',
        from: '[...this.#sending.values(), ...(first',
        to: '[...(first',
      },
    ],
  },
  {
    name: 'found: no alarm behind what another drain sends',
    changes: [
      {
        file: 'src/objects/delivery.ts',
        from: '      this.#drains.isBusy() ? now + SAFETY_MS : null,\n',
        to: '',
      },
    ],
  },
  {
    name: 'found: a tenant wakes every second for a run that has left',
    search: { seed: 51, steps: 300 },
    changes: [
      {
        file: 'src/objects/live-runs.ts',
        from: `    if (!this.#intake.close(place, 'live')) this.#intake.close(place, 'handing');`,
        to: `    for (const [runId, at] of this.#handing)
      if (placeKey(at) === placeKey(place)) this.#handing.delete(runId);
    if (!this.#intake.close(place, 'live')) this.#intake.close(place, 'handing');`,
      },
      {
        file: 'src/objects/live-runs.ts',
        from: `import type { Intake, Place } from './intake.ts';`,
        to: `import { type Intake, type Place, placeKey } from './intake.ts';`,
      },
    ],
  },
];
