/** One history: a deployment at work in bad weather, then in good, until all is quiet; and its account. */
import { accountFor, chainFaults } from './checks.ts';
import { Clients } from './clients.ts';
import { Ledger } from './ledger.ts';
import { inhabit, settled } from './platform/globals.ts';
import { House, type Product } from './platform/house.ts';
import { listen } from './platform/network.ts';
import { bringStoresBack } from './platform/store.ts';
import { CALM, drawWeather } from './platform/weather.ts';
import { type Tally, World } from './platform/world.ts';
import { type Beginning, EPOCH, VARIABLES } from './shop.ts';
import { planTrouble } from './trouble.ts';
import { Watcher } from './watch.ts';

export interface History {
  readonly seed: number;
  readonly steps: number;
  readonly tally: Tally;
  readonly digest: string;
  readonly faults: readonly string[];
  readonly trace: readonly string[];
}

const DAY_MS = 86_400_000;
/** Later than anything that the beginning has seen. */
const FROM = EPOCH + DAY_MS;
/** Whoever is not done by then never is. */
const STEPS_MAX = 20_000;
/** In so many sweeps, each tenant has its turn. */
const SWEEPS = 31;
const SWEEP_EVERY_MS = 120_000;

export class Stage {
  readonly #product: Product;
  readonly #beginning: Beginning;
  #world: World | null = null;
  #watcher: Watcher | null = null;

  constructor(product: Product, beginning: Beginning) {
    this.#product = product;
    this.#beginning = beginning;
  }

  /** A line that the product logs. */
  logged(line: string): void {
    this.#world?.note(`log ${line}`);
    this.#watcher?.logged(line);
  }

  /** @param steps about how many happen before the weather turns good */
  async play(seed: number, steps: number): Promise<History> {
    const world = new World(seed, FROM, settled);
    this.#world = world;
    inhabit(world);
    const { shops, saved } = this.#beginning;
    const house = new House(world, this.#product, saved, VARIABLES);
    const ledger = new Ledger();
    const watcher = new Watcher(world, house, ledger);
    this.#watcher = watcher;
    house.watch = watcher;
    listen(world, (arrival) => watcher.arrived(arrival));
    const faults: string[] = [];
    try {
      await badTimes(world, house, new Clients(world, house, ledger, shops), steps);
      await goodTimes(world, house);
      faults.push(...accountFor(house, ledger, watcher, shops));
      for (const shop of shops) {
        const exported = await readAudit(world, house, shop.admin);
        faults.push(...(await chainFaults(shop.id, exported, watcher.sizes())));
      }
    } catch (error) {
      faults.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    house.close();
    const { tally, trace } = world;
    return { seed, steps: world.steps, tally, digest: world.digest(), faults, trace };
  }
}

/** Clients begin things at their times, and troubles come. */
async function badTimes(
  world: World,
  house: House,
  clients: Clients,
  steps: number,
): Promise<void> {
  const { chance } = world;
  world.weather = drawWeather(chance);
  const hurry = chance.oneOf([20, 400, 20_000]);
  const acts = Math.ceil(steps / 20);
  let at = 0;
  for (let n = 0; n < acts; n++) {
    at += chance.happens(0.1) ? chance.next() * 1_800_000 : chance.next() * hurry;
    world.later(at, 'a client acts', () => clients.act());
  }
  planTrouble(world, house, chance.between(0, Math.ceil(steps / 60)), at * 1.2);
  while ((world.steps < steps || clients.busy > 0 || world.now < at) && (await world.step()));
}

/** Nothing fails any more, and everything comes to its end. */
async function goodTimes(world: World, house: House): Promise<void> {
  world.weather = CALM;
  bringStoresBack(world);
  await untilQuiet(world);
  if (!house.objects().some(({ alarmWasLost }) => alarmWasLost)) return;
  for (let n = 1; n <= SWEEPS; n++)
    world.later(n * SWEEP_EVERY_MS, 'the cron comes', () => void house.sweep());
  await untilQuiet(world);
}

async function untilQuiet(world: World): Promise<void> {
  const most = world.steps + STEPS_MAX;
  while (await world.step()) if (world.steps > most) throw new Error('it never comes to rest');
}

async function readAudit(world: World, house: House, key: string): Promise<string> {
  let text = '';
  const headers = { authorization: `Bearer ${key}` };
  void house.request('GET', '/api/admin/audit/export', { headers }).then((reply) => {
    text = reply?.text ?? '';
  });
  await untilQuiet(world);
  return text;
}
