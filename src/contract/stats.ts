/** How a tenant is doing, in numbers: what an overview shows at a glance. */
import * as z from 'zod';
import { utcTime } from './json.ts';
import { later } from './later.ts';
import { runStatus } from './runs.ts';

const count = later(() => z.int().min(0));

export const hourStats = later(() =>
  z
    .object({
      from: utcTime.describe('The beginning of the hour, in UTC'),
      events: count,
      runs: z
        .object({
          succeeded: count,
          failed: count,
          denied: count,
          expired: count,
          cancelled: count,
          open: count.describe('Not ended yet'),
        })
        .describe('Runs that began in this hour, by how they stand now'),
      estimated: z.boolean().describe('More than is counted: the rest is assumed to be like it'),
    })
    .meta({ id: 'HourStats' }),
);
export type HourStats = z.infer<typeof hourStats>;

const workflowStats = later(() =>
  z
    .object({
      workflowId: z.string(),
      workflowName: z.string().describe('As of its last run'),
      runs: count.describe('The latest in the period, 100 at most: the rate is of these'),
      successRate: z.number().min(0).max(1).nullable().describe('Of those that have ended'),
      recent: z.array(runStatus).describe('The last 30, the oldest first'),
      lastRunId: z.string(),
      lastRunAt: utcTime,
      lastRunStatus: runStatus,
    })
    .meta({ id: 'WorkflowStats' }),
);
export type WorkflowStats = z.infer<typeof workflowStats>;

const destinationStats = later(() =>
  z
    .object({
      destination: z.string(),
      attempts: count,
      failed: count,
      errorRate: z.number().min(0).max(1),
      averageMs: count,
      slowestMs: count,
    })
    .meta({ id: 'DestinationStats' }),
);
export type DestinationStats = z.infer<typeof destinationStats>;

export const stats = later(() =>
  z
    .object({
      from: utcTime,
      to: utcTime,
      hours: z.array(hourStats).describe('The oldest first; the last one is not over'),
      approvals: z.object({
        pending: count,
        isMore: z.boolean().describe('More are pending than were counted'),
        oldestRequestedAt: utcTime.nullable(),
        nextExpiresAt: utcTime.nullable(),
      }),
      workflows: z.array(workflowStats).describe('Those with runs in the period, 100 at most'),
      destinations: z.object({
        attempts: count.describe(
          'The latest in the period, 10,000 at most: the lists are of these',
        ),
        isMore: z.boolean(),
        slowest: z.array(destinationStats).describe('By their average, 10 at most'),
        failing: z.array(destinationStats).describe('By their rate of errors, 10 at most'),
      }),
    })
    .meta({ id: 'Stats' }),
);
export type Stats = z.infer<typeof stats>;
