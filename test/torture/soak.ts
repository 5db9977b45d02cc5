/**
 * Everybody is at work for long while the runtime's memory is watched; towards the end the first tenant
 * sends about ten times what it may. Then the account, as after the kills.
 */
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import {
  BY_SERVE,
  newPlace,
  removePlace,
  type Server,
  startServer,
} from '../e2e/support/server.ts';
import { Caller } from './caller.ts';
import { chanceOf } from './chance.ts';
import { type Finding, finder } from './checks/finding.ts';
import { MemoryWatch } from './memory.ts';
import { Circle } from './players.ts';
import { Sender } from './senders.ts';
import type { Shop } from './shop.ts';
import { type Ending, play, type Setting } from './stage.ts';
import { newStory, type Story } from './story.ts';

export interface Plan extends Omit<Setting, 'pauseMs' | 'patienceMs'> {
  readonly minutes: number;
  /** Events a second that are aimed at, over all tenants. */
  readonly rate: number;
}

export interface Soaked extends Ending {
  /** Of the runtime, in MiB: after the warm-up, before the overload, and at most. */
  readonly memory: { readonly early: number; readonly late: number; readonly peak: number };
  /** While one tenant sent too much: since when, who, and what was answered to all, by status. */
  readonly overload: {
    readonly from: number;
    readonly greedy: string;
    readonly answers: ReadonlyMap<number, number>;
  };
  /** How long the act took, in milliseconds. */
  readonly lastedMs: number;
}

/** A request of the senders has about so many events. */
const EVENTS_PER_REQUEST = 5;
const PATIENCE_MS = 5_000;
/** The parts of the time: warm-up, steady, overload. */
const [WARM, STEADY] = [0.25, 0.5];
const fault = finder('faults answered');
const GREEDY_SENDERS = 12;
const GREEDY_LIMITS = { eventsPerSecond: 8, eventsBurst: 16 };

export async function soak(plan: Plan): Promise<Soaked> {
  const story = newStory();
  const place = await newPlace();
  const server = await startServer(place, ['--no-demo'], BY_SERVE);
  const memory = new MemoryWatch(server.pid);
  const pauseMs = (1_000 * plan.tenants * plan.senders * EVENTS_PER_REQUEST) / plan.rate;
  const setting = { ...plan, pauseMs, patienceMs: PATIENCE_MS };
  const lastedMs = plan.minutes * 60_000;
  let begun = 0;
  let overload: Soaked['overload'] = { from: 0, greedy: '', answers: new Map() };
  const act = async ([greedy]: readonly Shop[]) => {
    begun = Date.now();
    await pause(lastedMs * (WARM + STEADY));
    if (greedy === undefined) return;
    const [from, before] = [Date.now(), new Map(story.answered)];
    await overdo(server, greedy, story, plan.seed, begun + lastedMs);
    overload = { from, greedy: greedy.id, answers: since(before, story.answered) };
  };
  try {
    const ending = await play(setting, story, () => server, act);
    const findings = [...ending.findings, ...checkAnswers(story)];
    return { ...ending, findings, memory: levels(memory, begun, lastedMs), overload, lastedMs };
  } finally {
    await memory.stop();
    await server.stop();
    removePlace(place);
  }
}

/** In the first and in the last quarter of the steady time. */
function levels(memory: MemoryWatch, begun: number, lastedMs: number): Soaked['memory'] {
  const [from, to] = [begun + lastedMs * WARM, begun + lastedMs * (WARM + STEADY)];
  const part = (to - from) / 4;
  return {
    early: memory.between(from, from + part),
    late: memory.between(to - part, to),
    peak: memory.peak(),
  };
}

function since(
  before: ReadonlyMap<number, number>,
  now: ReadonlyMap<number, number>,
): Map<number, number> {
  return new Map([...now].map(([status, count]) => [status, count - (before.get(status) ?? 0)]));
}

/** Nobody is killed here: everything is answered, and with no fault. */
function checkAnswers({ answered }: Story): Finding[] {
  const wrong = [...answered].filter(([status]) => status === 0 || status >= 500);
  return wrong.map(([status, count]) => fault(String(status), `${count} times`));
}

/** One tenant sends without a pause, over a limit of its own, until the time. */
async function overdo(
  server: Server,
  shop: Shop,
  story: Story,
  seed: number,
  until: number,
): Promise<void> {
  const body = { id: shop.id, limits: GREEDY_LIMITS };
  await server.platform.post('/api/platform/tenants/limits', body, z.unknown());
  const caller = new Caller(server.origin, story, PATIENCE_MS);
  const chance = chanceOf(seed + 3);
  const greedy = new Circle();
  for (let n = 0; n < GREEDY_SENDERS; n++) {
    const sender = new Sender(shop, caller, story, chance.branch(), []);
    greedy.add(() => sender.sendOnce(), 0);
  }
  await pause(Math.max(until - Date.now(), 0));
  await greedy.end();
}
