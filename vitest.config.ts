import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-pool-workers';
import { defineConfig } from 'vitest/config';

/** The Worker with its objects, and so many databases. */
const inWorkerd = (d1Databases: string[]) =>
  cloudflareTest(async () => ({
    wrangler: { configPath: './wrangler.toml' },
    miniflare: {
      d1Databases,
      bindings: {
        ENVIRONMENT: 'development',
        PLATFORM_TOKEN: 'test-platform-token-0123456789abcdef',
        KEY_SECRET: 'test-key-secret-0123456789abcdef0123456789',
        SEAL_KEY: 'test-seal-key-0123456789abcdef0123456789ab',
        AUDIT_KEY: 'test-audit-key-0123456789abcdef0123456789a',
        PUBLIC_URL: 'https://api.test',
        ACCESS_TEAM: 'https://team.test',
        ACCESS_AUDIENCE: 'the-audience',
        ALLOWED_ORIGINS: 'https://console.test',
        TEST_MIGRATIONS: await readD1Migrations('./drizzle'),
      },
    },
  }));

/**
 * Real runtimes, processes and clocks on a machine that others may use too: one more try tells what was
 * late from what is broken. What needed it is named at the end (scripts/support/running.mjs).
 */
const TIMED = { retry: 1 };

/**
 * Pure code in Node; Worker and objects in workerd, with one database and with three; the started server
 * over HTTP; and the console in a browser before a started server.
 */
export default defineConfig({
  test: {
    // The Worker's log lines would bury what failed.
    silent: 'passed-only',
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
      {
        plugins: [inWorkerd(['DB'])],
        test: {
          name: 'workers',
          ...TIMED,
          include: ['test/workers/**/*.test.ts'],
          globalSetup: [
            './test/fixtures/receiver/server.ts',
            './test/fixtures/vendors/beside-workerd.ts',
            './test/fixtures/hostile/bodies.ts',
          ],
          setupFiles: ['./test/workers/setup.ts'],
          testTimeout: 30_000,
        },
      },
      {
        plugins: [inWorkerd(['DB', 'DB_1', 'DB_2'])],
        test: {
          name: 'sharded',
          ...TIMED,
          include: ['test/sharded/**/*.test.ts'],
          globalSetup: ['./test/fixtures/receiver/server.ts'],
          setupFiles: ['./test/workers/setup.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'e2e',
          ...TIMED,
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'browser',
          ...TIMED,
          include: ['test/browser/**/*.test.ts'],
          globalSetup: ['./test/browser/support/server.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
