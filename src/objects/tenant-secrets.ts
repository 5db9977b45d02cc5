/**
 * The tenant's part in a change of the sealing key: it gives out its sealed texts and takes them back
 * sealed anew. They open in a Worker alone, which has the keys (resealing.ts).
 */
import type { ConnectionKind } from '../contract/connections.ts';
import { secretOwner } from '../ports/connections.ts';
import { keyIdOf } from '../sealed.ts';
import { type By, changed, unchanged } from './change.ts';
import { answerOwner } from './idempotency.ts';
import type { Stores } from './stores.ts';
import { TenantPrivacy } from './tenant-privacy.ts';

/** Where a sealed text stands. */
export type SealedPlace =
  | { readonly kind: 'connection'; readonly of: ConnectionKind; readonly name: string }
  | { readonly kind: 'answer'; readonly key: string };

export interface SealedText {
  readonly place: SealedPlace;
  /** Whom it is sealed for. */
  readonly owner: string;
  readonly text: string;
}

export interface SealedPage {
  readonly texts: readonly SealedText[];
  /** The key to go on after; null: there are no more. */
  readonly next: string | null;
}

export interface Resealed {
  readonly place: SealedPlace;
  readonly from: string;
  readonly to: string;
}

/** One page: answers are up to a MiB each. */
const ANSWERS_MAX = 100;
const CHARACTERS_MAX = 2_000_000;

export abstract class TenantSecrets extends TenantPrivacy {
  /** Texts that are not sealed under the key. @param after null for the first page */
  async sealedTexts(keyId: string, after: string | null): Promise<SealedPage> {
    // A name that is nobody's, or a tenant that is only in the read model still, has none.
    if (this.stores === null) return { texts: [], next: null };
    const { tenant, idempotency } = this.stores;
    const answers = idempotency.answersAfter(after ?? '', keyId, ANSWERS_MAX, CHARACTERS_MAX);
    const secrets = after === null ? secretsOf(this.stores) : [];
    const texts = [
      ...secrets.filter(({ text }) => keyIdOf(text) !== keyId),
      ...answers.map(({ key, answer }) => ({
        place: { kind: 'answer', key } as const,
        owner: answerOwner(tenant.id, key),
        text: answer,
      })),
    ];
    const next = answers.at(-1)?.key ?? null;
    return { texts, next };
  }

  /** What was changed in between keeps what it was given. @returns how many were replaced */
  async replaceSealed(resealed: readonly Resealed[], by: By): Promise<number> {
    const replace = ({ settings, idempotency, tenant }: Stores) => {
      const count = resealed.filter(({ place, from, to }) =>
        place.kind === 'answer'
          ? idempotency.replaceAnswer(place.key, from, to)
          : settings.replaceSecret(place.of, place.name, from, to),
      ).length;
      if (count === 0) return unchanged(0);
      return changed(count, 'secrets.resealed', { type: 'tenant', id: tenant.id }, { count });
    };
    const replaced = await this.change(by, replace, false);
    return replaced.ok ? replaced.answer : 0;
  }
}

function secretsOf({ settings, tenant }: Stores): SealedText[] {
  return settings.connections().flatMap(({ kind, secrets }) =>
    Object.entries(secrets).map(([name, text]) => ({
      place: { kind: 'connection', of: kind, name } as const,
      owner: secretOwner(tenant.id, kind, name),
      text,
    })),
  );
}
