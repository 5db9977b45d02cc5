/**
 * What the product finds around it: clock, timers, chance, crypto and network of the simulated world.
 * Installed once in a process, before the product is loaded; each schedule puts its own world in.
 */
import { timingSafeEqual } from 'node:crypto';
import { receive } from './network.ts';
import { forgetIds } from './uuid.ts';
import type { World } from './world.ts';

const RealDate = Date;
const realCrypto = crypto;
const nextTurn = setImmediate;
const say = console.log;

let world: World | null = null;
/** Crypto that was begun: each is heard of in its turn, whichever is done first. */
const working: { readonly work: Promise<unknown>; readonly tell: () => void }[] = [];

/** From now on the product lives in that world. */
export function inhabit(next: World): void {
  world = next;
  working.length = 0;
  forgetIds();
}

function here(): World {
  if (world === null) throw new Error('there is no world');
  return world;
}

/** To the terminal: what the product writes goes into the trace. */
export function print(line: string): void {
  say(line);
}

/** Resolves once nothing more follows by itself. */
export async function settled(): Promise<void> {
  for (;;) {
    await new Promise<void>((resolve) => nextTurn(resolve));
    const next = working.shift();
    if (next === undefined) return;
    await next.work.catch(() => undefined);
    next.tell();
  }
}

/** @param logged is told each line that the product logs */
export function install(logged: (line: string) => void): void {
  put('Date', SimulatedDate);
  put('setTimeout', setTimer);
  put('clearTimeout', clearTimer);
  const wait = (ms: number) => new Promise<void>((resolve) => setTimer(() => resolve(), ms));
  put('scheduler', { wait });
  put('crypto', simulatedCrypto());
  put('fetch', receive(here));
  Math.random = () => here().luck.next();
  AbortSignal.timeout = (ms) => {
    const controller = new AbortController();
    setTimer(() => controller.abort(new DOMException('The time is over', 'TimeoutError')), ms);
    return controller.signal;
  };
  console.log = logged;
  console.error = logged;
}

function put(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

class SimulatedDate extends RealDate {
  constructor(...given: ConstructorParameters<typeof RealDate> | []) {
    if (given.length === 0) super(here().wall());
    else super(...given);
  }

  static override now(): number {
    return here().wall();
  }
}

/** A timer of whoever acts: it is gone with them. */
class Timer {
  isCleared = false;
}

const LATE_MS = 4;

function setTimer(act: (...given: unknown[]) => void, ms = 0, ...given: unknown[]): Timer {
  const timer = new Timer();
  const { current, chance } = here();
  const happens = () => {
    if (!timer.isCleared) act(...given);
  };
  here().later(ms + chance.next() * LATE_MS, `timer of ${current?.name}`, happens, current);
  return timer;
}

function clearTimer(timer: unknown): void {
  if (timer instanceof Timer) timer.isCleared = true;
}

function simulatedCrypto(): object {
  const subtle = new Proxy(realCrypto.subtle, {
    get(target, name) {
      if (name === 'timingSafeEqual') return timingSafeEqual;
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return (...given: unknown[]) => inTurn(Reflect.apply(method, target, given));
    },
  });
  const getRandomValues = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; at++) bytes[at] = here().luck.between(0, 255);
    return bytes;
  };
  const randomUUID = () => {
    const hex = [...getRandomValues(new Uint8Array(16))]
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('');
    return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5').slice(0, 36);
  };
  return { subtle, getRandomValues, randomUUID };
}

function inTurn(work: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    working.push({ work, tell: () => void work.then(resolve, reject) });
  });
}
