/**
 * Senders, people who decide and admins, over the product's own API. Whoever is not answered asks again,
 * or does not; what they did and heard goes into the ledger.
 */
import { type Asked, type Ledger, outcomeOf, type SentEvent } from './ledger.ts';
import type { House, Reply } from './platform/house.ts';
import type { World } from './platform/world.ts';
import { definitions, type Shop } from './shop.ts';

const TYPES = [
  'custom.straight',
  'custom.two',
  'custom.gated',
  'custom.gated',
  'custom.waits',
  'order.created',
] as const;
const ASKS_MAX = 4;

export class Clients {
  readonly #world: World;
  readonly #house: House;
  readonly #ledger: Ledger;
  readonly #shops: readonly [Shop, ...Shop[]];
  readonly #acts: readonly (readonly [number, (shop: Shop) => Promise<void>])[];
  #numbers = 0;
  #edition = 0;
  /** How many have not heard the last of what they asked for. */
  busy = 0;

  constructor(world: World, house: House, ledger: Ledger, shops: readonly [Shop, ...Shop[]]) {
    this.#world = world;
    this.#house = house;
    this.#ledger = ledger;
    this.#shops = shops;
    // In each history something else is done often.
    const often = () => world.chance.oneOf([0.2, 1, 1, 6]);
    this.#acts = [
      [8 * often(), (of) => this.#send(of)],
      [2 * often(), (of) => this.#sendAgain(of)],
      [9 * often(), (of) => this.#vote(of)],
      [often(), (of) => this.#edit(of)],
      [often(), (of) => this.#cancel(of)],
      [often(), (of) => this.#changePolicy(of)],
      [often(), (of) => this.#changeWorkflow(of)],
    ];
  }

  /** Somebody does something. */
  act(): void {
    const { chance } = this.#world;
    const shop = chance.oneOf(this.#shops);
    const act = chance.weighted(this.#acts);
    this.busy += 1;
    void act(shop).finally(() => {
      this.busy -= 1;
    });
  }

  async #send(shop: Shop): Promise<void> {
    const n = this.#next();
    const type = this.#world.chance.oneOf(TYPES);
    const isNamed = this.#world.chance.happens(0.8);
    const sent: SentEvent = {
      ...{ shop: shop.id, source: `/simulation/${n}`, id: isNamed ? `e${n}` : null, n, type },
      ...{ outcomes: [], answers: [] },
    };
    this.#ledger.events.push(sent);
    await this.#deliver(shop, sent);
  }

  /** An event that was sent before, whatever became of it. */
  async #sendAgain(shop: Shop): Promise<void> {
    const own = this.#ledger.events.filter((event) => event.shop === shop.id && event.id !== null);
    const sent = own[this.#world.chance.between(0, own.length - 1)];
    if (sent !== undefined) await this.#deliver(shop, sent);
  }

  async #deliver(shop: Shop, sent: SentEvent): Promise<void> {
    const { source, id, n, type } = sent;
    const order = { id: `o-${n}`, total: { amount: 1_000, currency: 'EUR' } };
    const event = { source, ...(id === null ? {} : { id }), type, data: { n, order } };
    await this.#insist(
      async () => {
        const reply = await this.#post(shop.admin, '/api/events', event, `send-${this.#next()}`);
        sent.outcomes.push(outcomeOf(reply?.status ?? null));
        for (const answer of answersOf(reply)) sent.answers.push(answer);
        return reply;
      },
      id === null ? 1 : ASKS_MAX,
    );
  }

  async #vote(shop: Shop): Promise<void> {
    const { chance } = this.#world;
    const waiting = this.#waiting(shop);
    if (waiting === undefined) return;
    const { runId } = waiting;
    const person = chance.oneOf(shop.people);
    const what = chance.happens(0.9) ? 'approve' : 'deny';
    const path = `/api/admin/workflow-runs/${what}`;
    const body = { runId, ...(what === 'deny' ? { comment: 'No.' } : {}) };
    await this.#ask(
      { shop: shop.id, what, subject: runId, person: person.id },
      person.key,
      path,
      body,
    );
  }

  async #edit(shop: Shop): Promise<void> {
    const waiting = this.#waiting(shop);
    if (waiting === undefined) return;
    const { runId, inputHash } = waiting;
    const person = this.#world.chance.oneOf(shop.people);
    const body = { edited: this.#next() };
    const input = { url: `https://hooks.example.com/${shop.id}`, body };
    const path = '/api/admin/workflow-runs/edit';
    const asked = { shop: shop.id, what: 'edit', subject: runId, person: person.id } as const;
    await this.#ask(asked, person.key, path, { runId, inputHash, input });
  }

  async #cancel(shop: Shop): Promise<void> {
    const runs = this.#ledger.events
      .filter((event) => event.shop === shop.id)
      .flatMap(({ answers }) => answers.flatMap((answer) => answer.runs));
    const runId = runs[this.#world.chance.between(0, runs.length - 1)];
    if (runId === undefined) return;
    const asked = { shop: shop.id, what: 'cancel', subject: runId, person: null } as const;
    await this.#ask(asked, shop.admin, '/api/admin/workflow-runs/cancel', { runId });
  }

  async #changePolicy(shop: Shop): Promise<void> {
    const { chance } = this.#world;
    const [required, count] = [chance.happens(0.5), chance.between(0, 2)];
    const expiresIn = `${3_600 + this.#next()}s`;
    const budget = { count, window: '1h' };
    const actions = {
      'order.refund': { required, approvals: 1, expiresIn, budget },
      'notify.webhook': { edit: 'approver', expiresIn },
    };
    const asked = { shop: shop.id, what: 'policy', subject: expiresIn, person: null } as const;
    const path = '/api/admin/approval-policy/update';
    await this.#ask(asked, shop.admin, path, { actions });
  }

  async #changeWorkflow(shop: Shop): Promise<void> {
    this.#edition += 1;
    const id = shop.workflows.get('straight');
    const definition = definitions(shop.id, this.#edition)[0];
    if (id === undefined) return;
    const read = await this.#house.request('GET', `/api/admin/workflows/get?id=${id}`, {
      headers: { authorization: `Bearer ${shop.admin}` },
    });
    const version = versionOf(read);
    if (version === null) return;
    const asked = { shop: shop.id, what: 'workflow', subject: id, person: null } as const;
    const path = '/api/admin/workflows/update';
    await this.#ask(asked, shop.admin, path, { id, version, ...definition });
  }

  /** A run of which something waits for people, and the inputs that it shows them. */
  #waiting(shop: Shop): { runId: string; inputHash: string } | undefined {
    const pending = this.#house.d1.read(
      `SELECT json_extract(item, '$.runId') AS run, json_extract(item, '$.inputHash') AS hash
       FROM approvals WHERE tenant_id = '${shop.id}' AND status = 'pending' ORDER BY id`,
    );
    const found = pending[this.#world.chance.between(0, pending.length - 1)];
    return found === undefined
      ? undefined
      : { runId: String(found.run), inputHash: String(found.hash) };
  }

  async #ask(
    about: Pick<Asked, 'shop' | 'what' | 'subject' | 'person'>,
    key: string,
    path: string,
    body: object,
  ): Promise<void> {
    const isKeyed = this.#world.chance.happens(0.6);
    const idempotencyKey = isKeyed ? `key-${this.#next()}` : null;
    const asked: Asked = { ...about, isKeyed, requestIds: [], outcomes: [], answeredAt: null };
    this.#ledger.asked.push(asked);
    await this.#insist(async () => {
      const requestId = `ask-${this.#next()}`;
      asked.requestIds.push(requestId);
      const reply = await this.#post(key, path, body, requestId, idempotencyKey);
      const outcome = outcomeOf(reply?.status ?? null);
      asked.outcomes.push(outcome);
      if (outcome === 'ok') asked.answeredAt ??= this.#world.now;
      return reply;
    });
  }

  /** Asks again while nobody answers, for a while; and sometimes though somebody did. */
  async #insist(ask: () => Promise<Reply | null>, most = ASKS_MAX): Promise<void> {
    const { chance } = this.#world;
    for (let asks = 0; asks < most; asks++) {
      const reply = await ask();
      const isAnswered = reply !== null && reply.status < 500;
      if (isAnswered ? !chance.happens(0.05) : chance.happens(0.2)) return;
      const wait = chance.next() * 3_000;
      await new Promise<void>((go) => this.#world.later(wait, 'a client asks again', go));
    }
  }

  async #post(
    key: string,
    path: string,
    body: object,
    requestId: string,
    idempotencyKey: string | null = null,
  ): Promise<Reply | null> {
    const headers = {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'x-request-id': requestId,
      ...(idempotencyKey === null ? {} : { 'idempotency-key': idempotencyKey }),
    };
    const reply = await this.#house.request('POST', path, { headers, body: JSON.stringify(body) });
    this.#world.note(`${requestId} ${path} is answered ${reply?.status ?? 'nothing'}`);
    this.#world.count(`answered ${reply?.status ?? 'nothing'}`);
    if (reply?.status === 500 || reply?.status === 422)
      this.#world.fail('answers', `${path}: ${JSON.stringify(reply.body)}`);
    return reply;
  }

  #next(): number {
    this.#numbers += 1;
    return this.#numbers;
  }
}

function answersOf(reply: Reply | null): { id: string; runs: string[] }[] {
  if (reply === null || reply.status !== 202) return [];
  const events: unknown = field(reply.body, 'events');
  if (!Array.isArray(events)) return [];
  return events.map((event: unknown) => {
    const runs: unknown = field(event, 'runs');
    return { id: String(field(event, 'id')), runs: Array.isArray(runs) ? runs.map(String) : [] };
  });
}

function versionOf(reply: Reply | null): number | null {
  const version = field(field(reply?.body, 'workflow'), 'version');
  return typeof version === 'number' ? version : null;
}

function field(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}
