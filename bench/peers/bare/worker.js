/**
 * What no product of this shape can do without on this runtime, and nothing else: an event's id is kept in
 * its tenant's object, one webhook is sent, one row in D1 says so. No keys, no conditions, no signature, no
 * log, no second try. Decisions: an object of its own keeps what waits, with an alarm, and the decision;
 * it sends, says so in D1, and is emptied.
 */
import { DurableObject } from 'cloudflare:workers';

/** The platform lets an invocation have so many connections open. */
const LANES = 6;
const HOUR_MS = 3_600_000;
const SHOWN = 'CREATE TABLE IF NOT EXISTS shown (id TEXT PRIMARY KEY) WITHOUT ROWID';
const SHOW = 'INSERT INTO shown SELECT value FROM json_each(?)';
const FIND = 'SELECT id FROM shown WHERE id IN (SELECT value FROM json_each(?))';

export class Tenant extends DurableObject {
  #done = [];
  #isTelling = false;

  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec('CREATE TABLE IF NOT EXISTS kept (id TEXT PRIMARY KEY) WITHOUT ROWID');
  }

  take(ids) {
    const { sql } = this.ctx.storage;
    sql.exec('INSERT INTO kept SELECT value FROM json_each(?)', JSON.stringify(ids));
    this.ctx.waitUntil(this.#deliver(ids));
  }

  async #deliver(ids) {
    const waiting = ids.values();
    const lane = async () => {
      for (const id of waiting) {
        await deliver(this.env.SINK, id);
        this.#done.push(id);
        this.ctx.waitUntil(this.#tell());
      }
    };
    await Promise.all(Array.from({ length: Math.min(LANES, ids.length) }, lane));
  }

  /** One parcel at a time, with all that is done by then. */
  async #tell() {
    if (this.#isTelling) return;
    this.#isTelling = true;
    const { sql } = this.ctx.storage;
    while (this.#done.length > 0) {
      const done = JSON.stringify(this.#done.splice(0));
      await this.env.DB.prepare(SHOW).bind(done).run();
      sql.exec('DELETE FROM kept WHERE id IN (SELECT value FROM json_each(?))', done);
    }
    this.#isTelling = false;
  }
}

export class Gate extends DurableObject {
  async open(id) {
    this.ctx.storage.kv.put('waits', id);
    await this.ctx.storage.setAlarm(Date.now() + HOUR_MS);
  }

  decide() {
    const id = this.ctx.storage.kv.get('waits');
    this.ctx.storage.kv.put('decided', id);
    this.ctx.waitUntil(this.#goOn(id));
  }

  async #goOn(id) {
    await deliver(this.env.SINK, id);
    await this.env.DB.prepare(SHOW)
      .bind(JSON.stringify([id]))
      .run();
    await this.ctx.storage.deleteAll();
  }

  alarm() {}
}

async function deliver(sink, id) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(sink, { method: 'POST', headers, body: JSON.stringify({ id }) });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`the sink answered ${answer.status}`);
}

const ROUTES = {
  async '/setup'(_body, { DB }) {
    await DB.exec(SHOWN);
    return {};
  },
  async '/orders'({ tenant, events }, { TENANT }) {
    await TENANT.getByName(tenant).take(events.map(({ id }) => id));
    return { taken: events.length };
  },
  async '/gated'(ids, { GATE }) {
    await Promise.all(ids.map((id) => GATE.getByName(id).open(id)));
    return {};
  },
  async '/decide'({ id }, { GATE }) {
    await GATE.getByName(id).decide();
    return { id };
  },
  async '/shown'(ids, { DB }) {
    const { results } = await DB.prepare(FIND).bind(JSON.stringify(ids)).all();
    return results.map(({ id }) => id);
  },
};

export default {
  async fetch(request, env) {
    const act = ROUTES[new URL(request.url).pathname];
    if (act === undefined) return new Response(null, { status: 404 });
    return Response.json(await act(await request.json(), env), { status: 202 });
  },
};
