/** Every test file starts with empty databases that have the product's own schema. */
import { applyD1Migrations } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { databasesOf } from '../../src/db/databases.ts';

for (const database of databasesOf(env)) await applyD1Migrations(database, env.TEST_MIGRATIONS);
