/** What has its place by convention (RFC 8615): the keys that audit checkpoints are signed with. */
import { auditKeys } from '../contract/audit-keys.ts';
import { refusal } from '../contract/problems.ts';
import { openRoute, type Route } from '../http/route.ts';
import { logError } from '../log.ts';
import { auditKeyList } from '../objects/audit-keys.ts';

export const wellKnownRoutes: readonly Route[] = [
  openRoute({
    method: 'GET',
    path: '/.well-known/signalbox-audit-keys.json',
    tag: 'Audit',
    summary: 'The public keys of audit checkpoints, the one in use first',
    description: 'Keep a copy elsewhere: keys from the same place as the log prove little.',
    access: { tier: 'anyone' },
    answer: { status: 200, description: 'The keys', schema: auditKeys },
    problems: [503],
    async handle({ env, requestId }) {
      try {
        const keys = await auditKeyList(env);
        const headers = {
          'content-type': 'application/json',
          'cache-control': 'public, max-age=300',
        };
        return new Response(JSON.stringify({ keys }), { headers });
      } catch (error) {
        logError({ what: 'audit_keys_failed', requestId }, error);
        return refusal('unavailable', 'The keys are not configured as they should be.');
      }
    },
  }),
];
