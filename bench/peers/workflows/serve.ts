import { serveOnWorkerd } from '../on-workerd.ts';

await serveOnWorkerd('workflows', {
  workflows: {
    DELIVER: { name: 'deliver', className: 'Deliver' },
    GATED: { name: 'gated', className: 'Gated' },
  },
});
