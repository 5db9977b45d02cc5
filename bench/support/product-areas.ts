/** The parts of the product that its profile tells apart, the more special ones first. */
import type { Area } from './profile-areas.ts';

export const AREAS: readonly Area[] = [
  { name: 'log lines', files: /^src\/(log|objects\/run-log)\.ts/ },
  { name: 'webhook: render, sign, send', files: /^src\/(actions|sealed|ports\/(?!feed-orders))/ },
  {
    name: 'projection: parcels to D1',
    files:
      /^src\/(db\/|ports\/feed-orders|objects\/(projection|outbox|read-model|ended-runs))|internal:d1/,
  },
  {
    name: 'admission: dedupe, match, create runs',
    files: /^src\/objects\/(admission|intake|open-runs)|^src\/engine\/match/,
  },
  {
    name: 'admission: dedupe, match, create runs',
    files: /^src\/objects\/ledger/,
    functions: /^admitEvents$/,
  },
  {
    name: 'settle: take what was driven',
    files: /^src\/objects\/(ledger|audit-|delivery-facts|destinations|notices)/,
  },
  { name: 'executor: drive runs by the engine', files: /^src\/objects\/(executor|plan)/ },
  { name: 'dispatch: give runs out', files: /^src\/objects\/(run-giving|delivery|drains|due)/ },
  { name: "the tenant object's surface", files: /^src\/objects\// },
  { name: 'executor: drive runs by the engine', files: /^src\/engine\// },
  { name: 'router, key, body, schema', files: /^src\/(http|routes|worker\.ts|contract|hmac)/ },
];
