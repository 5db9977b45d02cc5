/** People at their inboxes: they approve, deny, edit, cancel and look, several at once at one thing. */
import * as z from 'zod';
import { inboxItem } from '../../src/contract/runs.ts';
import type { Caller } from './caller.ts';
import type { Chance } from './chance.ts';
import type { Person, Shop } from './shop.ts';

const inbox = z.object({ items: z.array(inboxItem) });
type Item = z.infer<typeof inboxItem>;
type Deed = 'approve' | 'deny' | 'cancel' | 'edit' | 'view';

export class Decider {
  readonly #shop: Shop;
  readonly #caller: Caller;
  readonly #chance: Chance;

  constructor(shop: Shop, caller: Caller, chance: Chance) {
    this.#shop = shop;
    this.#caller = caller;
    this.#chance = chance;
  }

  /** Decides on some of what one person finds. @returns whether there was anything */
  async decideSome(): Promise<boolean> {
    const person = this.#chance.oneOf(this.#shop.people);
    const path = '/api/admin/approvals?mine=true&limit=100';
    const found = await this.#caller.read(person.key, path, inbox);
    if (found === null || found.items.length === 0) return false;
    const some = found.items.filter(() => this.#chance.happens(0.5)).slice(0, 8);
    await Promise.all(some.map((item) => this.#decide(person, item)));
    return true;
  }

  async #decide(person: Person, item: Item): Promise<void> {
    const deed = this.#chance.weighted<Deed>([
      [78, 'approve'],
      [6, 'deny'],
      [4, 'cancel'],
      [item.action === 'order.refund' && person.edits ? 8 : 0, 'edit'],
      [4, 'view'],
    ]);
    // Somebody clicks twice, somebody else decides at the same moment.
    const others = this.#chance.happens(0.2) ? [this.#chance.oneOf(this.#shop.people)] : [];
    const all = [person, ...(this.#chance.happens(0.1) ? [person] : []), ...others];
    const own = (one: Person) => (deed === 'edit' && !one.edits ? 'approve' : deed);
    await Promise.all(all.map((one) => this.#do(own(one), one, item)));
  }

  async #do(deed: Deed, person: Person, item: Item): Promise<void> {
    const { runId, id: approvalId, inputHash } = item;
    const isCancel = deed === 'cancel';
    const key = isCancel ? this.#shop.keys.admin : person.key;
    const comment = 'as seen';
    const shown = this.#chance.happens(0.5) ? { inputHash } : {};
    const bodies = {
      approve: { runId, approvalId, comment, ...shown },
      deny: { runId, approvalId, comment },
      cancel: { runId, comment },
      edit: { runId, approvalId, comment, input: this.#editedInput(item) },
      view: { runId, approvalId },
    };
    const path = deed === 'view' ? '/api/admin/approvals/view' : `/api/admin/workflow-runs/${deed}`;
    const asked = {
      ...{ tenantId: this.#shop.id, kind: deed, subject: runId, audit: TRACES[deed] },
      ...(isCancel ? {} : { actorId: person.id }),
      keyed: this.#chance.happens(0.3),
    };
    await this.#caller.ask(asked, { key, path, body: bodies[deed] });
  }

  #editedInput({ input }: Item): object {
    const amount = { amount: this.#chance.between(1, 50), currency: 'USD' };
    return typeof input === 'object' && input !== null && !Array.isArray(input)
      ? { ...input, amount }
      : {};
  }
}

/** A look is told once for each person, so another one leaves no trace. */
const TRACES = {
  approve: { action: 'approval.approved', least: 1 },
  deny: { action: 'approval.denied', least: 1 },
  cancel: { action: 'run.cancelled', least: 1 },
  edit: { action: 'approval.edited', least: 1 },
  view: { action: 'approval.viewed', least: 0 },
} as const;
