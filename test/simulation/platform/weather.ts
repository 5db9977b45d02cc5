/** How often what goes wrong. Each schedule has a weather of its own: few things often, or many rarely. */
import type { Chance } from '../../torture/chance.ts';

export interface Weather {
  /** Of each turn of an object or an invocation. */
  readonly deathBeforeWrites: number;
  readonly deathAfterWrites: number;
  /** Of each message between objects, Workers and clients. */
  readonly requestLost: number;
  readonly answerLost: number;
  readonly slow: number;
  /** Of each call of D1 or R2. */
  readonly storeRefuses: number;
  readonly storeUnheard: number;
  readonly storeSlow: number;
  readonly alarmLate: number;
  readonly alarmTwice: number;
  /** Of each request at a receiver. */
  readonly receiverFails: number;
}

export const CALM: Weather = {
  deathBeforeWrites: 0,
  deathAfterWrites: 0,
  requestLost: 0,
  answerLost: 0,
  slow: 0,
  storeRefuses: 0,
  storeUnheard: 0,
  storeSlow: 0,
  alarmLate: 0,
  alarmTwice: 0,
  receiverFails: 0,
};

/** The most that each may be. */
const WORST: Weather = {
  deathBeforeWrites: 0.04,
  deathAfterWrites: 0.04,
  requestLost: 0.06,
  answerLost: 0.06,
  slow: 0.4,
  storeRefuses: 0.2,
  storeUnheard: 0.2,
  storeSlow: 0.2,
  alarmLate: 0.5,
  alarmTwice: 0.3,
  receiverFails: 0.6,
};

export function drawWeather(chance: Chance): Weather {
  const share = (worst: number) => (chance.happens(0.5) ? 0 : worst * chance.next());
  return {
    deathBeforeWrites: share(WORST.deathBeforeWrites),
    deathAfterWrites: share(WORST.deathAfterWrites),
    requestLost: share(WORST.requestLost),
    answerLost: share(WORST.answerLost),
    slow: share(WORST.slow),
    storeRefuses: share(WORST.storeRefuses),
    storeUnheard: share(WORST.storeUnheard),
    storeSlow: share(WORST.storeSlow),
    alarmLate: share(WORST.alarmLate),
    alarmTwice: share(WORST.alarmTwice),
    receiverFails: share(WORST.receiverFails),
  };
}
