/**
 * What the Worker may reach in production: public addresses alone. The tools' own network lets private
 * ones through as well. The addresses are filtered after a name has been looked up, so a public name
 * that resolves to this machine, or that changes between two requests, leads nowhere either.
 * https://github.com/cloudflare/workerd/blob/main/src/workerd/server/workerd.capnp (`Network`)
 */

const NAME = 'egress';

/** To be put in the way of everything that the Worker fetches, by its `outboundService`. */
export const PUBLIC_ONLY = {
  outboundService: NAME,
  worker: {
    name: NAME,
    modules: true,
    compatibilityDate: '2026-10-20',
    script: 'export default { fetch: (request, { PUBLIC }) => PUBLIC.fetch(request) }',
    serviceBindings: {
      PUBLIC: { network: { allow: ['public'], deny: [], tlsOptions: { trustBrowserCas: true } } },
    },
  },
};
