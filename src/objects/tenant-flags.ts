/** Flags that an admin sets by hand: ordered, done by whoever keeps them, and told of when they are. */
import type { FlagSet, FlagState } from '../contract/flags.ts';
import type { JsonObject } from '../contract/json.ts';
import { refusal } from '../contract/problems.ts';
import type { Outcome } from '../engine/plan.ts';
import { newId } from '../ids.ts';
import { log } from '../log.ts';
import { within } from '../within.ts';
import { pseudonymOf } from './audit-privacy.ts';
import type { By } from './change.ts';
import { answerOf, eventsOf, FLAG_ORDERS, type FlagOrder, ORDER_LIFE_MS } from './flag-orders.ts';
import { admitEvents } from './ledger.ts';
import type { Stores } from './stores.ts';
import type { Answer } from './tenant-base.ts';
import { TenantDestinations } from './tenant-destinations.ts';

/** How long a caller waits; the order stands after that too. */
const PATIENCE_MS = 10_000;
const LATER = 'It is tried again for ten minutes; the history shows when it is done.';

export abstract class TenantFlags extends TenantDestinations {
  /** Orders whose callers wait, and what they are to be told so far. */
  readonly #waiting = new Map<string, Answer<'flag', FlagState>>();

  async setFlag(set: FlagSet, by: By): Promise<Answer<'flag', FlagState>> {
    const { key, enabled, comment = null } = set;
    const order: FlagOrder = { id: newId('flg'), key, enabled, comment, by, at: Date.now() };
    const address = FLAG_ORDERS + key;
    const later = refusal('unavailable', `It is not done yet. ${LATER}`);
    this.#waiting.set(order.id, later);
    this.transact(({ outbox }) => outbox.put(address, order));
    await this.delivery.afterCommit(false);
    await within(PATIENCE_MS, this.delivery.drain(address));
    const answer = this.#waiting.get(order.id) ?? later;
    this.#waiting.delete(order.id);
    return answer;
  }

  /** Orders for one flag, oldest first. Throws when one of them has to be tried again. */
  protected override async performOrders(orders: readonly FlagOrder[]): Promise<void> {
    for (const order of orders) {
      const outcome = await this.ctx.exports.Executor.setFlag(
        this.open().tenant.id,
        order,
        this.contextNow().connections,
      );
      if (isToBeRepeated(order, outcome)) {
        this.#tell(order, refusal('unavailable', `${outcome.error.message} ${LATER}`));
        throw new Error(`a flag is not set yet: ${outcome.error.code}`);
      }
      await this.commit(true, (stores) => settle(stores, order, outcome));
      this.#tell(order, answerOf(order, outcome));
    }
  }

  #tell({ id }: FlagOrder, answer: Answer<'flag', FlagState>): void {
    if (this.#waiting.has(id)) this.#waiting.set(id, answer);
  }
}

type Failed = Extract<Outcome, { kind: 'failed' }>;

function isToBeRepeated({ at }: FlagOrder, outcome: Outcome): outcome is Failed {
  return outcome.kind === 'failed' && outcome.retryable && Date.now() - at < ORDER_LIFE_MS;
}

/**
 * A change becomes an event and an audit entry; so does what nobody knows at the end, since it may have
 * been done. What was that way already, or was refused, has changed nothing. An order that comes twice is
 * told by its event.
 */
function settle(stores: Stores, order: FlagOrder, outcome: Outcome): void {
  const { key, enabled, comment, by } = order;
  const { actor, requestId } = by;
  const events = eventsOf(outcome);
  const isGivenUp = outcome.kind === 'unknown' || (outcome.kind === 'failed' && outcome.retryable);
  if (events.length === 0 && !isGivenUp) return;
  const origin = { sender: actor, requestId, path: [], authors: [] };
  const [accepted] = admitEvents(stores, events, origin);
  if (accepted?.duplicate === true) return;
  const told: JsonObject = isGivenUp
    ? { outcome: 'unknown', code: outcome.error.code }
    : { previous: !enabled };
  const target = { type: 'flag', id: pseudonymOf(stores.settings, 'flag', [key]) };
  const fact = { actor, requestId, target, data: { key, enabled, comment, ...told } };
  const entry = stores.audit.append({ ...fact, action: 'flag.set' }, new Date().toISOString());
  stores.parcels.put({ audit: [entry] });
  log({ what: isGivenUp ? 'flag_given_up' : 'flag_set', requestId, tenantId: stores.tenant.id });
}
