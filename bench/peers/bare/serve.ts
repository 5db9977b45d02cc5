import { serveOnWorkerd } from '../on-workerd.ts';

await serveOnWorkerd('bare', {
  durableObjects: {
    TENANT: { className: 'Tenant', useSQLite: true },
    GATE: { className: 'Gate', useSQLite: true },
  },
  d1Databases: { DB: 'bare' },
});
