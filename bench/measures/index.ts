/**
 * All measures, in the order of the table. What writes gigabytes comes late: when they are removed, the disk is
 * busy for a while, and what is measured next has a part of it.
 */
import { bundle } from './bundle.ts';
import { decision } from './decision.ts';
import { expiring } from './expiring.ts';
import { history } from './history.ts';
import { intake } from './intake.ts';
import { manyWorkflows } from './many-workflows.ts';
import type { Measure } from './measure.ts';
import { noisyTenant } from './noisy-tenant.ts';
import { slowDestination } from './slow-destination.ts';
import { batch, latency, single } from './w1.ts';

export const MEASURES: readonly Measure[] = [
  single,
  batch,
  latency,
  decision,
  manyWorkflows,
  slowDestination,
  noisyTenant,
  intake,
  expiring,
  history,
  bundle,
];
