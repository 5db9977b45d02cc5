import { defineConfig } from 'drizzle-kit';

/** `npm run migrations` writes what changed in these tables into drizzle/. */
export default defineConfig({
  dialect: 'sqlite',
  schema: ['./src/db/*.ts', './src/ports/*.ts'],
  out: './drizzle',
});
