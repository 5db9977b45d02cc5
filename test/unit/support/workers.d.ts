/** Names of the Workers runtime that sources mention in types, for tests that run in Node. */
type D1Database = import('@cloudflare/workers-types').D1Database;
