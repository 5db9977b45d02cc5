/**
 * `npm run bench:exports`: a million orders of one tenant become a file on `npm run serve`, with
 * `kill -9` of the runtime in the middle; then the same as CSV, undisturbed. Checks every line, and
 * says how long it took and what memory the runtime had. `-- --orders 100000` takes fewer.
 *
 * The orders go into D1 by SQL while the server stands still: the feed would take half an hour, and is
 * not what is measured.
 */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  checkLines,
  type Exported,
  exportWhen,
  killRuntime,
  ORDER_COLUMNS,
  orderOf,
  startExport,
  watchMemory,
} from '../test/e2e/support/exports.ts';
import {
  BY_SERVE,
  newPlace,
  type Place,
  removePlace,
  type Server,
  startServer,
} from '../test/e2e/support/server.ts';
import {
  createWorkflow,
  newSigningSecret,
  openTenant,
  runIn,
  type Tenant,
} from '../test/e2e/support/tenant.ts';
import { ROOT } from './support/processes.ts';

const FORMATS = ['ndjson', 'csv'] as const;
const ROWS_A_STATEMENT = 50_000;
const PATIENCE_MS = 30 * 60_000;
const KILLED_AT = 0.4;
/** A quoted cell may hold line breaks, so a CSV file of the bench has two lines for an order. */
const CSV_HEADER =
  '"id","name","status","total_amount","refunded_amount","currency","customer_id",' +
  '"customer_email","customer_name","tags","created_at","updated_at"\r';

const { values } = parseArgs({ options: { orders: { type: 'string', default: '1000000' } } });
const orders = Number(values.orders);
if (!Number.isInteger(orders) || orders < 1) throw new Error('--orders is a number');

const place = await newPlace();
let server = await startServer(place, ['--no-demo'], BY_SERVE);
try {
  const tenant = await openTenant(server, newSigningSecret());
  for (const format of FORMATS)
    await createWorkflow(server, tenant, {
      name: `Export ${format}`,
      trigger: { event: `custom.${format}` },
      steps: [{ id: 'out', action: 'export.orders', with: { format } }],
    });
  await server.stop();
  const seeded = seconds(() => seed(place, tenant.id, orders));
  console.log(`${orders} orders in D1 after ${seeded} s`);
  server = await startServer(place, ['--no-demo'], BY_SERVE);
  await measure(server, tenant, 'ndjson', KILLED_AT);
  await measure(server, tenant, 'csv', null);
} finally {
  await server.stop();
  removePlace(place);
}

/** @param killedAt the part of the orders after which the runtime is killed; null: it is not */
async function measure(
  on: Server,
  tenant: Tenant,
  format: (typeof FORMATS)[number],
  killedAt: number | null,
): Promise<void> {
  const memory = watchMemory(on);
  const begun = Date.now();
  const runId = await startExport(on, tenant, `custom.${format}`, true);
  if (killedAt !== null) {
    const enough = ({ rows, status }: Exported) =>
      status === 'running' && rows >= orders * killedAt;
    const { rows } = await exportWhen(on, tenant, 'the middle', enough, PATIENCE_MS);
    await killRuntime(on);
    console.log(`${format}: killed after ${since(begun)} s with ${rows} rows written down`);
  }
  const isDone = ({ status }: Exported) => status === 'completed';
  const file = await exportWhen(on, tenant, 'the file', isDone, PATIENCE_MS);
  const took = since(begun);
  await memory.stop();
  const run = await runIn(on, tenant, runId, 'succeeded');
  const bytes = await check(on, tenant, file, format);
  console.log(
    `${format}: ${file.rows} rows, ${bytes} bytes, each line as it has to be; ` +
      `${took} s in ${run.steps[0]?.attempts} attempts; resident memory of workerd ` +
      `${memory.before.toFixed(0)} MiB before, ${memory.peak().toFixed(0)} MiB at most`,
  );
}

async function check(
  on: Server,
  { keys }: Tenant,
  { id, rows, bytes }: Exported,
  format: (typeof FORMATS)[number],
): Promise<number> {
  const response = await fetch(`${on.origin}/api/admin/exports/get?id=${id}`, {
    headers: { authorization: `Bearer ${keys.admin}` },
  });
  const came =
    format === 'ndjson'
      ? await checkLines(response, orders, (n) => JSON.stringify(orderOf(n)))
      : await checkLines(response, 2 * orders + 1, csvLine);
  if (rows !== orders || came !== bytes) throw new Error(`${rows} rows, ${came} of ${bytes} bytes`);
  return came;
}

function csvLine(at: number): string {
  if (at === 0) return CSV_HEADER;
  const order = orderOf(Math.floor((at - 1) / 2));
  const { id, name, total, customer, tags, createdAt, updatedAt } = order;
  if (at % 2 === 1) return `"${id}","${name?.trimEnd().replaceAll('"', '""')}`;
  const { id: customerId, email, name: customerName } = customer;
  const times = `"${createdAt}","${updatedAt}"`;
  return `","open",${total?.amount},0,"EUR","${customerId}","${email}","'${customerName}","${tags.join(', ')}",${times}\r`;
}

/** By the same wrangler, and so the same workerd and D1, that `npm run serve` opens the state with. */
function seed({ stateDir }: Place, tenantId: string, count: number): void {
  const file = join(stateDir, 'seed.sql');
  const statements: string[] = [];
  for (let from = 0; from < count; from += ROWS_A_STATEMENT)
    statements.push(
      `INSERT INTO orders (tenant_id, id, name, status, total_amount, currency, refunded_amount,
         customer_id, customer_email, customer_name, tags, created_at, updated_at)
       WITH RECURSIVE numbers (n) AS (SELECT ${from} UNION ALL
         SELECT n + 1 FROM numbers WHERE n < ${Math.min(from + ROWS_A_STATEMENT, count) - 1})
       SELECT '${tenantId}', ${ORDER_COLUMNS} FROM numbers;`,
    );
  writeFileSync(file, statements.join('\n'));
  const wrangler = join(ROOT, 'node_modules/wrangler/wrangler-dist/cli.js');
  const data = join(stateDir, 'data');
  const args = ['d1', 'execute', 'DB', '--local', '--persist-to', data, '--yes', '--file', file];
  const env = { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [wrangler, ...args], {
    ...{ cwd: ROOT, env, encoding: 'utf8' },
  });
  rmSync(file);
  if (status !== 0) throw new Error(`the orders could not be written: ${stdout}${stderr}`);
}

function seconds(work: () => void): string {
  const begun = Date.now();
  work();
  return since(begun);
}

function since(begun: number): string {
  return ((Date.now() - begun) / 1_000).toFixed(1);
}
