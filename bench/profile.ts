/**
 * `npm run bench:profile`: where the time of one event goes. Profiles the product's Worker under W1's
 * load, and prints a table by area for docs/performance.md.
 *
 * - `--per-post 50`, `--events 3000`, `--rate 20` (requests a second; as fast as it goes): the load
 * - `--decisions`: decisions on runs that wait, instead of events
 * - `--functions 40`: the functions that take most, besides
 * - `--save out.cpuprofile`: all of it, for the developer tools of a browser
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type CpuProfile, profileWhile } from './support/cdp.ts';
import { pause } from './support/clock.ts';
import { freePort } from './support/processes.ts';
import { AREAS } from './support/product-areas.ts';
import { functionsOf, originsBy, type Share, sharesOf } from './support/profile-areas.ts';
import { measureRound, newRound } from './support/rounds.ts';
import { startSink } from './support/sink-process.ts';
import { shown } from './support/statistics.ts';
import { createGate, createW1, systemOf } from './systems/product.ts';
import { startProductServer } from './systems/product-server.ts';
import type { System } from './systems/system.ts';

const SENDERS = 16;
const AFTER_MS = 1_000;

const { values } = parseArgs({
  options: {
    'per-post': { type: 'string', default: '1' },
    events: { type: 'string', default: '3000' },
    rate: { type: 'string', default: '0' },
    decisions: { type: 'boolean', default: false },
    functions: { type: 'string', default: '0' },
    save: { type: 'string' },
  },
});
const perPost = Number(values['per-post']);
const events = Number(values.events);
const rate = Number(values.rate);

const sink = await startSink();
const port = await freePort();
const server = await startProductServer(undefined, { INSPECTOR_PORT: String(port) });
try {
  const tenant = await server.openTenant('bench');
  await createW1(tenant, sink.url);
  await createGate(tenant, sink.url);
  const system = systemOf(server, tenant);
  await (await prepared(system, Math.ceil(events / 3)))();
  const load = await prepared(system, events);
  const before = cpuOf(system);
  const profile = await profileWhile(port, load);
  const after = cpuOf(system);
  report(profile, after.workerd - before.workerd, after.relay - before.relay);
} finally {
  await server.stop();
  await sink.stop();
}

/** A load that is ready to go. */
async function prepared(system: System, count: number): Promise<() => Promise<void>> {
  const kind = values.decisions ? 'decisions' : 'orders';
  const round = newRound(kind, 'profile', count);
  const requests =
    kind === 'orders' ? system.events(round, perPost) : await system.decisions?.(round);
  return async () => {
    const load = { senders: SENDERS, rate };
    const { perSecond } = await measureRound(system, sink, round, requests ?? [], load);
    console.log(`${count} ${kind}, ${perPost} in a request: ${shown(perSecond)} runs/s`);
    await pause(AFTER_MS); // What follows the last commit.
  };
}

function cpuOf({ running }: System): { workerd: number; relay: number } {
  return { workerd: running.cpuMs(/workerd/), relay: running.cpuMs(/runtime\.mjs/) };
}

function report(profile: CpuProfile, workerdMs: number, relayMs: number): void {
  const map = readFileSync(join(server.place.stateDir, 'build', 'worker.js.map'), 'utf8');
  const originOf = originsBy(map);
  console.log(`\n${tableOf('area', sharesOf(profile, originOf, AREAS), workerdMs)}`);
  const relay = shown((relayMs * 1_000) / events);
  console.log(
    `\nThe Node process that holds workerd and passes on its log lines: ${relay} µs a run.`,
  );
  const count = Number(values.functions);
  const functions = functionsOf(profile, originOf);
  if (count > 0) console.log(`\n${tableOf('function', functions, workerdMs, count)}`);
  if (values.save !== undefined) writeFileSync(values.save, JSON.stringify(profile));
}

/** The process's CPU time, by the shares of the samples: these are told in time that passed. */
function tableOf(what: string, shares: readonly Share[], cpuMs: number, most = Infinity): string {
  const sum = shares.reduce((all, { ms }) => all + ms, 0);
  const row = (name: string, part: number) =>
    `| ${name} | ${shown((part * cpuMs * 1_000) / events)} | ${(part * 100).toFixed(1)} % |`;
  return [
    `| ${what} | CPU for each run, µs | share |`,
    '|---|---|---|',
    ...shares.slice(0, most).map(({ name, ms }) => row(name, ms / sum)),
    row('all of workerd', 1),
  ].join('\n');
}
