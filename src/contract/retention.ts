/** For how long a tenant keeps what has ended. */
import * as z from 'zod';
import { later } from './later.ts';

const DAYS_MAX = 3_660;
const days = later(() => z.int().min(1).max(DAYS_MAX).nullable());

const fields = () => ({
  runsDays: days.describe(
    'Runs go so many days after their end, with entries, approvals and deliveries; null: never',
  ),
  eventsDays: days.describe(
    'Events go so many days after they came, once their runs are gone; a repeat of one is known as long. Not less than runsDays; null: never',
  ),
});

export const retention = later(() => z.object(fields()).meta({ id: 'Retention' }));
export type Retention = z.infer<typeof retention>;

/** What is left out stays. */
export const retentionUpdate = later(() =>
  z
    .strictObject(fields())
    .partial()
    .refine((change) => Object.keys(change).length > 0, 'runsDays or eventsDays')
    .meta({ id: 'RetentionUpdate' }),
);
export type RetentionUpdate = z.infer<typeof retentionUpdate>;

export const KEEP_FOR_EVER: Retention = { runsDays: null, eventsDays: null };

/** How many of each a day's removal has taken. */
export interface Removed {
  readonly runs: number;
  readonly deliveries: number;
  readonly events: number;
  /** Identities of events, by which a repeat was known. */
  readonly identities: number;
}

export const NOTHING_REMOVED: Removed = { runs: 0, deliveries: 0, events: 0, identities: 0 };
