/** What a tenant's object knows and decides of destinations, and what is to be delivered once more. */
import type { Destination } from '../contract/deliveries.ts';
import type { Page } from '../contract/pages.ts';
import { type Refusal, refusal } from '../contract/problems.ts';
import type { Message } from '../db/deliveries.ts';
import type { DestinationHealth } from '../engine/destination-health.ts';
import { destinationTarget } from './audit-privacy.ts';
import { type By, type Change, changed, unchanged } from './change.ts';
import { dataOf, destinationEvent } from './delivery-facts.ts';
import { type Admittance, destinationView } from './destinations.ts';
import { admitEvents, recordRedeliveries } from './ledger.ts';
import type { RedeliveryResult } from './messages.ts';
import type { Stores } from './stores.ts';
import type { Answer } from './tenant-base.ts';
import { TenantSettings } from './tenant-settings.ts';

export abstract class TenantDestinations extends TenantSettings {
  /** With the keys that pages go on after. */
  async listDestinations(page: Page): Promise<{ key: string; item: Destination }[]> {
    return this.open().destinations.list(page);
  }

  /** For an attempt at a destination that may be disabled. */
  async admitToDestination(url: string): Promise<Admittance> {
    const { destinations } = this.open();
    return this.ctx.storage.transactionSync(() => destinations.admit(url, Date.now()));
  }

  async disableDestination(url: string, by: By): Promise<Answer<'destination', Destination>> {
    const set = await this.change(by, (stores) => {
      const health = stores.destinations.disable(url, Date.now());
      if (health === null) return unchanged(stores.destinations.find(url));
      return this.#told(stores, 'disabled', health, by);
    });
    if (!set.ok) return set;
    if (set.answer === null) return refusal('internal');
    return { ok: true, destination: destinationView(set.answer) };
  }

  /** What has failed is forgotten. One that is healthy stays so. */
  async enableDestination(url: string, by: By): Promise<Refusal | { ok: true }> {
    const set = await this.change(by, (stores) => {
      const health = stores.destinations.enable(url);
      return health === null || health.disabled === null
        ? unchanged(null)
        : this.#told(stores, 'enabled', health, by);
    });
    return set.ok ? { ok: true } : set;
  }

  /**
   * Messages are sent once more, as soon as can be. `deliveryId`: the one that was named, and so may
   * have been delivered; null for all that a destination missed.
   */
  async redeliver(
    destination: string,
    messages: readonly Message[],
    deliveryId: string | null,
    by: By,
  ): Promise<Answer<'queued', number>> {
    const queued = await this.change(by, (stores) => {
      const { destinations, redeliveries } = stores;
      const force = deliveryId !== null;
      const target = force
        ? { type: 'delivery', id: deliveryId }
        : destinationTarget(stores, destination);
      if (destinations.isDisabled(destination))
        return refusal('conflict', 'The destination is disabled: enable it first.');
      const count = redeliveries.put(destination, messages, { force, requestId: by.requestId });
      if (count === 0) return unchanged(0);
      return changed(count, 'delivery.redelivered', target, { destination, count });
    });
    return queued.ok ? { ok: true, queued: queued.answer } : queued;
  }

  /** What became of a parcel that was given out; a report that comes twice changes nothing. */
  async redelivered(parcelId: number, results: readonly RedeliveryResult[]): Promise<void> {
    await this.commit(false, (stores) => {
      const parcel = stores.redeliveries.find(parcelId);
      if (parcel === null) return;
      stores.redeliveries.finish(parcel, results, Date.now());
      recordRedeliveries(stores, results, parcel.requestId);
    });
  }

  #told(
    stores: Stores,
    change: 'disabled' | 'enabled',
    health: DestinationHealth,
    { actor, requestId }: By,
  ): Change<DestinationHealth> {
    const event = destinationEvent(change, health, undefined);
    admitEvents(stores, [event], { sender: actor, requestId, path: [], authors: [] });
    const data = { url: health.url, ...dataOf(health) };
    return changed(health, `destination.${change}`, destinationTarget(stores, health.url), data);
  }
}
