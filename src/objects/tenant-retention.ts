/** How long a tenant keeps what has ended, and taking away what it has kept for so long. */
import { idAtTime } from '../contract/json.ts';
import type { Retention, RetentionUpdate } from '../contract/retention.ts';
import { databaseAt } from '../db/databases.ts';
import { oldSlice } from '../db/retention.ts';
import type { By } from './change.ts';
import type { Place } from './intake.ts';
import type { RemovalStep } from './retention.ts';
import type { Answer } from './tenant-base.ts';
import { TenantExports } from './tenant-exports.ts';

/** Rows of the intake that one slice looks at. */
const IDENTITIES = 1_000;

export abstract class TenantRetention extends TenantExports {
  async getRetention(): Promise<Retention> {
    return this.open().settings.retention();
  }

  async updateRetention(change: RetentionUpdate, by: By): Promise<Answer<'retention', Retention>> {
    const updated = await this.change(by, ({ retention }) => retention.update(change));
    return updated.ok ? { ok: true, retention: updated.answer } : updated;
  }

  /** One slice of what is too old: it is on its way out when this returns. True while there is more. */
  async removeOld(): Promise<boolean> {
    const step = this.stores?.retention.next(Date.now()) ?? null;
    if (step === null) return false;
    const found = step.kind === 'identities' ? null : await this.#oldRows(step.kind, step);
    const now = Date.now();
    this.transact((stores) => {
      const { retention, parcels, audit } = stores;
      if (!retention.isNext(step, now)) return;
      const { ids, ...rest } = found ?? { ids: [], ...this.#forget(step) };
      if (ids.length > 0) parcels.put({ old: { [step.kind]: ids } });
      const fact = retention.advance(step.kind, rest, now);
      if (fact !== null) parcels.put({ audit: [audit.append(fact, new Date(now).toISOString())] });
    });
    await this.delivery.afterCommit(true);
    return this.open().retention.next(Date.now()) !== null;
  }

  async #oldRows(kind: Exclude<RemovalStep['kind'], 'identities'>, { after, before }: RemovalStep) {
    const { tenant, settings } = this.open();
    const db = databaseAt(this.env, settings.database());
    const { ids, next } = await oldSlice(db, tenant.id, kind, after, before);
    return { ids, count: ids.length, next };
  }

  #forget({ after, before }: RemovalStep): { count: number; next: string | null } {
    const place: Place = after === '' ? { source: '', eventId: '' } : JSON.parse(after);
    const { count, next } = this.open().intake.forget(place, idAtTime('evt', before), IDENTITIES);
    return { count, next: next === null ? null : JSON.stringify(next) };
  }
}
