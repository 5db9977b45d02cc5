/** What befalls the whole deployment at a moment: everything dies, stores go down, clocks jump. */
import type { House } from './platform/house.ts';
import { takeStoresDown } from './platform/store.ts';
import { CALM } from './platform/weather.ts';
import type { World } from './platform/world.ts';

const HOUR_MS = 3_600_000;

/** @param calamities how many, spread over a time (milliseconds) */
export function planTrouble(world: World, house: House, calamities: number, span: number): void {
  const { chance } = world;
  for (let n = 0; n < calamities; n++) {
    const strike = chance.oneOf([crashOne, crashOne, crashAll, storesDown, jump, loseAlarm, sweep]);
    world.later(chance.next() * span, 'trouble', () => {
      if (world.weather === CALM) return;
      world.count(strike.name);
      world.note(strike.name);
      strike(world, house);
    });
  }
}

function crashOne({ chance }: World, house: House): void {
  const awake = house.objects().filter(({ isAwake }) => isAwake);
  awake[chance.between(0, awake.length - 1)]?.crash();
}

function crashAll(_world: World, house: House): void {
  house.crashAll();
}

function storesDown(world: World): void {
  takeStoresDown(world, world.chance.next() ** 3 * 3 * HOUR_MS);
}

/** Clocks are set: ahead by hours, or back by a little. */
function jump(world: World, house: House): void {
  const { chance } = world;
  world.epoch += chance.happens(0.7) ? chance.between(1, 2 * HOUR_MS) : -chance.between(1, 30_000);
  for (const object of house.objects())
    if (object.storage.alarmOnDisk !== null) object.expectAlarm();
}

function loseAlarm({ chance }: World, house: House): void {
  const set = house.objects().filter(({ storage }) => storage.alarmOnDisk !== null);
  set[chance.between(0, set.length - 1)]?.loseAlarm();
}

function sweep(_world: World, house: House): void {
  void house.sweep();
}
