/**
 * Every test file starts with empty databases that have the product's own schema, and ends with a search
 * for secrets where none may be.
 */
import { applyD1Migrations } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterAll, expect } from 'vitest';
import { databasesOf } from '../../src/db/databases.ts';
import { canaries } from './support/canaries.ts';

for (const database of databasesOf(env)) await applyD1Migrations(database, env.TEST_MIGRATIONS);

canaries.watchLog();
afterAll(async () => expect(await canaries.leaks(), 'secrets').toEqual([]), 60_000);
