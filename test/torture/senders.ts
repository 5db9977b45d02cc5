/** Senders of events: alone and in batches, again what was answered, and again what was not. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import { acceptedEvent } from '../../src/contract/events.ts';
import type { Caller, Reply } from './caller.ts';
import type { Chance } from './chance.ts';
import type { Shop } from './shop.ts';
import type { SentEvent, Story } from './story.ts';

const SOURCE = 'torture';
const TRIES_MAX = 40;
const RETRY_PAUSE_MS = 120;
/** As long as too many runs have not ended, no event is taken. */
const REFUSED_PAUSE_MS = 700;
const REMEMBERED = 200;
const taken = z.object({ events: z.array(acceptedEvent) });

type Draft = { readonly type: string; readonly data: object };
/** An event with its place in the story. */
interface Letter extends Draft {
  readonly sent: SentEvent;
}

export class Sender {
  readonly #shop: Shop;
  readonly #caller: Caller;
  readonly #story: Story;
  readonly #chance: Chance;
  readonly #orders: string[];
  #former: Letter[] = [];

  /** @param orders ids of orders that the shop has, shared by all its senders */
  constructor(shop: Shop, caller: Caller, story: Story, chance: Chance, orders: string[]) {
    this.#shop = shop;
    this.#caller = caller;
    this.#story = story;
    this.#chance = chance;
    this.#orders = orders;
  }

  /** One request's worth of events, until it is answered or given up. */
  async sendOnce(): Promise<void> {
    const isRepeat = this.#former.length > 0 && this.#chance.happens(0.15);
    const letters = isRepeat ? this.#someFormer() : this.#fresh();
    await this.#send(letters);
    if (!isRepeat) this.#former = [...this.#former, ...letters].slice(-REMEMBERED);
  }

  async #send(letters: readonly Letter[]): Promise<void> {
    const isPatient = this.#chance.happens(0.85);
    for (let tries = 0; tries < (isPatient ? TRIES_MAX : 1); tries++) {
      const { outcome, status } = await this.#post(letters);
      if (outcome !== 'unknown' && status !== 429) return;
      await pause(status === 429 ? REFUSED_PAUSE_MS : RETRY_PAUSE_MS);
    }
  }

  async #post(letters: readonly Letter[]): Promise<Reply> {
    const events = letters.map(({ type, data, sent: { source, id } }) => ({
      ...{ id, source, type, data },
    }));
    const begun = Date.now();
    const reply = await this.#caller.request({
      key: this.#shop.keys.ingest,
      path: '/api/events',
      body: events.length === 1 ? (events[0] ?? {}) : events,
    });
    const intake = { tenantId: this.#shop.id, at: begun, ms: Date.now() - begun };
    if (reply.outcome !== 'unknown') this.#story.intakes.push(intake);
    const answers = reply.outcome === 'ok' ? taken.parse(reply.body).events : [];
    for (const [index, { sent }] of letters.entries()) {
      sent.outcomes.push(reply.outcome);
      const answer = answers[index];
      if (answer !== undefined) sent.answers.push(answer);
    }
    if (reply.outcome === 'ok') this.#noteOrders(letters);
    return reply;
  }

  #noteOrders(letters: readonly Letter[]): void {
    for (const { type, sent } of letters) if (type === 'order.created') this.#orders.push(sent.id);
  }

  #someFormer(): Letter[] {
    const from = this.#chance.between(0, this.#former.length - 1);
    return this.#former.slice(from, from + this.#chance.between(1, 5));
  }

  #fresh(): Letter[] {
    const size = this.#chance.weighted([
      [12, 1],
      [6, this.#chance.between(2, 10)],
      [1, 50],
    ]);
    return Array.from({ length: size }, () => this.#freshOne());
  }

  #freshOne(): Letter {
    const id = `e-${randomUUID()}`;
    const draft = this.#chance.weighted<(id: string) => Draft>([
      [40, plain('custom.straight')],
      [10, plain('custom.flaky')],
      [7, plain('custom.waits')],
      [5, plain('custom.gated')],
      [2, plain('custom.fleeting')],
      [12, plain('custom.edited')],
      [14, orderCreated],
      [4, () => this.#refund()],
      [2, () => ({ type: 'custom.switch', data: { key: `flag-${this.#chance.between(0, 30)}` } })],
      [0.4, plain('custom.export')],
    ])(id);
    const { id: tenantId } = this.#shop;
    const { type } = draft;
    const sent = { tenantId, source: SOURCE, id, type, outcomes: [], answers: [] };
    this.#story.events.push(sent);
    return { ...draft, sent };
  }

  #refund(): Draft {
    const at = this.#chance.between(0, Math.max(this.#orders.length - 1, 0));
    const amount = { amount: this.#chance.between(1, 50), currency: 'USD' };
    return { type: 'custom.refund', data: { orderId: this.#orders[at] ?? 'none-yet', amount } };
  }
}

function plain(type: string): (id: string) => Draft {
  return (id) => ({ type, data: { id } });
}

/** The order's id is the event's, so that a repeat is no second order. */
function orderCreated(id: string): Draft {
  return {
    type: 'order.created',
    data: { order: { id, total: { amount: 100_000, currency: 'USD' } } },
  };
}
