/**
 * Objects: one instance by name at a time, made when it is called, with a storage that outlives it. An
 * alarm comes at least once, late or twice at times; a handler that dies is tried again six times, and
 * then its alarm is gone. https://developers.cloudflare.com/durable-objects/api/alarms/
 */
import { skewOf } from './invocations.ts';
import {
  type Answer,
  connectionLost,
  errorOf,
  exchange,
  invoke,
  type Outcome,
  stubOf,
} from './messages.ts';
import { ObjectStorage, type SavedStorage } from './storage.ts';
import type { Actor, World } from './world.ts';

export type ObjectClass = new (ctx: object, env: object) => object;

const ALARM_TRIES = 6;
const ALARM_RETRY_MS = 2_000;
const LATE_MAX_MS = 90_000;

/** What all objects of a world have in common. */
export interface Setting {
  readonly world: World;
  env(): object;
  exports(): object;
  /** Something of an object is on disk. */
  committed(object: SimulatedObject): void;
}

export class SimulatedObject {
  readonly name: string;
  readonly storage: ObjectStorage;
  readonly #setting: Setting;
  readonly #makes: ObjectClass;
  #instance: Instance | null = null;
  /** Which of the alarms that were set is the one that counts. */
  #alarmNumber = 0;
  /** The platform has lost its alarm: only somebody who calls it wakes it. */
  alarmWasLost = false;
  /** Its alarm has gone off, and is tried again should the object die now. */
  isRinging = false;
  /** Its handler has died, and is going to be tried again unless another alarm is set. */
  #isTriedAgain = false;

  constructor(setting: Setting, name: string, makes: ObjectClass, saved?: SavedStorage) {
    this.#setting = setting;
    this.name = name;
    this.#makes = makes;
    this.storage = new ObjectStorage(saved);
    this.expectAlarm();
  }

  get isAwake(): boolean {
    return this.#instance !== null;
  }

  /** From within a happening: the turn is this object's from here on. */
  receive(method: string, given: readonly unknown[], answer: Answer): void {
    const instance = this.#wake(answer);
    if (instance === null) return;
    const { world } = this.#setting;
    const hear = instance.expect(answer);
    const tell = (outcome: Outcome) => world.send(() => hear(outcome));
    invoke(instance.self, method, given).then(
      (value) => tell({ ok: true, value: structuredClone(value) }),
      (error) => tell({ ok: false, error: errorOf(error) }),
    );
  }

  /** The process is gone, at a moment in which nothing is being written. */
  crash(): void {
    this.#instance?.die();
  }

  loseAlarm(): void {
    if (this.storage.alarmOnDisk === null) return;
    this.storage.dropAlarm();
    this.#alarmNumber += 1;
    this.alarmWasLost = true;
  }

  /** Sees to it that the alarm on disk rings, by the clock on the wall as it is now. */
  expectAlarm(): void {
    const { world } = this.#setting;
    this.#alarmNumber += 1;
    const at = this.storage.alarmOnDisk;
    if (at === null) return;
    const isLate = world.chance.happens(world.weather.alarmLate);
    const late = isLate ? world.chance.next() * LATE_MAX_MS : world.chance.next() * 10;
    const delay = Math.max(0, at - world.epoch - world.now) + late;
    this.#ringAfter(delay, 0, this.#alarmNumber);
  }

  #ringAfter(delay: number, tries: number, number: number): void {
    this.#setting.world.later(delay, `alarm of ${this.name}`, () => {
      // One handler runs at a time: the next alarm waits for it.
      if (number !== this.#alarmNumber || (this.isRinging && tries === 0)) return;
      this.storage.dropAlarm();
      this.#ring(tries, number);
    });
  }

  #ring(tries: number, number: number): void {
    const { world } = this.#setting;
    this.isRinging = true;
    this.#isTriedAgain = false;
    this.receive('alarm', [], (outcome) => {
      const isOver = outcome.ok || number !== this.#alarmNumber;
      if (!isOver && tries < ALARM_TRIES) {
        this.#isTriedAgain = true;
        this.#ringAfter(ALARM_RETRY_MS * 2 ** tries, tries + 1, number);
        return;
      }
      this.isRinging = false;
      if (!isOver) {
        world.count('alarms given up');
        this.alarmWasLost = true;
      }
      this.#setting.committed(this);
      this.expectAlarm();
      if (outcome.ok && world.chance.happens(world.weather.alarmTwice)) this.#ringAgain();
    });
  }

  #ringAgain(): void {
    const { world } = this.#setting;
    world.count('alarms doubled');
    world.later(world.chance.next() * 1_000, `alarm of ${this.name} again`, () =>
      this.receive('alarm', [], () => undefined),
    );
  }

  #wake(answer: Answer): Instance | null {
    const { world } = this.#setting;
    if (this.#instance === null) {
      const instance = new Instance(skewOf(world), this, () => {
        this.#instance = null;
      });
      this.#instance = instance;
      world.enter(instance);
      try {
        instance.self = new this.#makes(this.#contextOf(), this.#setting.env());
      } catch (error) {
        instance.die();
        answer({ ok: false, error: errorOf(error) });
        return null;
      }
    }
    world.enter(this.#instance);
    return this.#instance;
  }

  #contextOf(): object {
    return {
      id: { name: this.name },
      storage: this.storage,
      exports: this.#setting.exports(),
      waitUntil: (work: Promise<unknown>) => void work.catch(() => undefined),
      blockConcurrencyWhile: async (work: () => Promise<unknown>) => await work(),
      getWebSockets: () => [],
    };
  }

  /** The instance's writes are on disk. */
  noteCommit(isAlarmNew: boolean): void {
    if (isAlarmNew) {
      this.alarmWasLost = false;
      if (this.#isTriedAgain) this.isRinging = false;
      this.#isTriedAgain = false;
      this.expectAlarm();
    }
    this.#setting.committed(this);
  }
}

/** One life of an object. */
class Instance implements Actor {
  readonly name: string;
  readonly skew: number;
  readonly isMortal = true;
  isAlive = true;
  self: object = {};
  readonly #object: SimulatedObject;
  readonly #gone: () => void;
  readonly #waiting = new Set<Answer>();

  constructor(skew: number, object: SimulatedObject, gone: () => void) {
    this.skew = skew;
    this.name = object.name;
    this.#object = object;
    this.#gone = gone;
  }

  /** Whoever called is told when this instance dies. */
  expect(answer: Answer): Answer {
    const hear: Answer = (outcome) => {
      if (this.#waiting.delete(hear)) answer(outcome);
    };
    this.#waiting.add(hear);
    return hear;
  }

  commit(): void {
    this.#object.noteCommit(this.#object.storage.commit());
  }

  die(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#object.storage.rollBack();
    this.#gone();
    for (const hear of [...this.#waiting])
      hear({ ok: false, error: connectionLost('the object died') });
  }
}

/** All objects of one class. */
export class Namespace {
  readonly #setting: Setting;
  readonly #makes: ObjectClass;
  readonly #objects = new Map<string, SimulatedObject>();

  constructor(setting: Setting, makes: ObjectClass) {
    this.#setting = setting;
    this.#makes = makes;
  }

  /** The binding's own method. */
  getByName(name: string): object {
    return stubOf((method, given) =>
      exchange(this.#setting.world, `${name}.${method}`, (answer) =>
        this.get(name).receive(method, given, answer),
      ),
    );
  }

  get(name: string): SimulatedObject {
    const known = this.#objects.get(name);
    if (known !== undefined) return known;
    const made = new SimulatedObject(this.#setting, name, this.#makes);
    this.#objects.set(name, made);
    return made;
  }

  put(name: string, saved: SavedStorage): void {
    this.#objects.set(name, new SimulatedObject(this.#setting, name, this.#makes, saved));
  }

  all(): SimulatedObject[] {
    return [...this.#objects.values()];
  }
}
