/**
 * The simulated world: one clock, one agenda, one source of chance. A turn is one happening and all that
 * follows from it at once; exactly one actor lives in it. What an actor sends leaves it at the end of its
 * turn, after its writes: that is the platform's output gate. There it may die, before or after.
 */
import { createHash } from 'node:crypto';
import { type Chance, chanceOf } from '../../torture/chance.ts';
import { Agenda } from './agenda.ts';
import { CALM, type Weather } from './weather.ts';

/** An object's instance, a Worker's invocation, or somebody outside. */
export interface Actor {
  readonly name: string;
  /** How far its clock is from the others' (milliseconds). */
  readonly skew: number;
  isAlive: boolean;
  /** Whether chance may end it. */
  readonly isMortal: boolean;
  /** What it wrote in this turn is on disk. */
  commit(): void;
  /** It is gone, with what it has not committed; whoever waits for it is told. */
  die(): void;
}

export type Tally = Map<string, number>;

/** A wrong that a check has seen. The history ends there. */
export class Broken extends Error {}

export class World {
  readonly chance: Chance;
  /** For the product's own use, so that a draw of its more changes nothing else. */
  readonly luck: Chance;
  readonly tally: Tally = new Map();
  readonly trace: string[] = [];
  readonly #agenda = new Agenda();
  readonly #digest = createHash('sha256');
  readonly #settle: () => Promise<void>;
  weather: Weather = CALM;
  /** Simulated milliseconds since the beginning. */
  now = 0;
  /** What the clocks on the walls show at the beginning; a jump changes it. */
  epoch: number;
  steps = 0;
  current: Actor | null = null;
  /** Set while a check looks on: the first wrong that was seen. */
  broken: Broken | null = null;
  #outgoing: (() => void)[] = [];

  /** @param settle resolves when nothing more follows by itself */
  constructor(seed: number, epoch: number, settle: () => Promise<void>) {
    this.chance = chanceOf(seed);
    this.luck = this.chance.branch();
    this.epoch = epoch;
    this.#settle = settle;
  }

  /** The time on the wall of whoever acts. */
  wall(): number {
    return Math.floor(this.epoch + this.now + (this.current?.skew ?? 0));
  }

  count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
  }

  note(line: string): void {
    const told = `${this.now.toFixed(0).padStart(9)} ${line}`;
    this.#digest.update(told);
    this.trace.push(told);
  }

  /** Of everything that has happened. */
  digest(): string {
    return this.#digest.copy().digest('hex').slice(0, 16);
  }

  fail(check: string, says: string): void {
    this.broken ??= new Broken(`${check}: ${says}`);
  }

  /** Something happens after so many milliseconds; to an actor, if it is still alive by then. */
  later(delay: number, what: string, act: () => void, whom: Actor | null = null): void {
    const happens = () => {
      if (whom !== null && !whom.isAlive) return;
      this.enter(whom);
      act();
    };
    const order = this.chance.next();
    this.#agenda.add({ at: this.now + Math.max(0, delay), order, what, act: happens });
  }

  /** From here on this turn is that actor's. */
  enter(actor: Actor | null): void {
    this.current = actor;
  }

  /** What leaves the actor of this turn, once its writes are on disk. */
  send(leave: () => void): void {
    if (this.current === null) leave();
    else this.#outgoing.push(leave);
  }

  /** When the next thing happens; null: never. */
  nextAt(): number | null {
    return this.#agenda.next()?.at ?? null;
  }

  /** One turn. False when nothing is going to happen any more. */
  async step(): Promise<boolean> {
    const next = this.#agenda.take();
    if (next === undefined) return false;
    this.now = Math.max(this.now, next.at);
    this.steps += 1;
    this.note(next.what);
    next.act();
    await this.#settle();
    this.#endTurn();
    if (this.broken !== null) throw this.broken;
    return true;
  }

  #endTurn(): void {
    const actor = this.current;
    const outgoing = this.#outgoing;
    this.#outgoing = [];
    if (actor === null || !actor.isAlive) {
      this.current = null;
      return;
    }
    if (actor.isMortal && this.chance.happens(this.weather.deathBeforeWrites)) {
      this.current = null;
      this.count('deaths before writes');
      this.note(`${actor.name} dies before its writes`);
      actor.die();
      return;
    }
    actor.commit();
    this.current = null;
    for (const leave of outgoing) leave();
    if (actor.isMortal && this.chance.happens(this.weather.deathAfterWrites)) {
      this.count('deaths after writes');
      this.note(`${actor.name} dies after its writes`);
      actor.die();
    }
  }
}
