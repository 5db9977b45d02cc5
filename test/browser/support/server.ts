/** The started product for all browser tests, and an origin beside it that its ALLOWED_ORIGINS name. */
import type { TestProject } from 'vitest/node';
import { freePort, newPlace, removePlace, startServer } from '../../e2e/support/server.ts';

export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const place = await newPlace();
  const elsewhere = await freePort();
  // Two names of this machine: another port of one site, and another site.
  const origins = [`http://127.0.0.1:${elsewhere}`, `http://localhost:${elsewhere}`];
  const settings = { ALLOWED_ORIGINS: origins.join() };
  const server = await startServer(place, ['--no-demo'], undefined, settings);
  provide('started', { ...place, elsewhere });
  return async () => {
    await server.stop();
    removePlace(place);
  };
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the product listens and keeps its state, and the port of the other origin. */
    readonly started: {
      readonly port: number;
      readonly stateDir: string;
      readonly elsewhere: number;
    };
  }
}
