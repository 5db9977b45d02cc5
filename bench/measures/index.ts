/** All measures, in the order of the table. */
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
  history,
  slowDestination,
  noisyTenant,
  intake,
  expiring,
  bundle,
];
