/** The product that the suite's set-up has started, as tests call it. */
import { inject } from 'vitest';
import { clientOf } from '../../e2e/support/client.ts';
import { type Caller, PLATFORM_TOKEN } from '../../e2e/support/server.ts';

export function startedProduct(): Caller & { readonly origin: string; readonly elsewhere: number } {
  const { port, elsewhere } = inject('started');
  const origin = `http://127.0.0.1:${port}`;
  const as = (token: string) => clientOf(origin, token);
  return { origin, elsewhere, as, platform: as(PLATFORM_TOKEN) };
}
