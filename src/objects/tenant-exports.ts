/**
 * Who takes exports out of the tenant, as its audit tells it: links that were made, and downloads. It
 * is written down before the first byte leaves.
 */
import { type Refusal, refusal } from '../contract/problems.ts';
import { type By, changed } from './change.ts';
import type { ExportLink } from './export-link.ts';
import { identityNow } from './identity.ts';
import { TenantFlags } from './tenant-flags.ts';

type Noted = Refusal | { ok: true };

export abstract class TenantExports extends TenantFlags {
  /** The link itself is told to nobody but its maker. */
  async noteExportLink({ id, exportId, expiresAt }: ExportLink, by: By): Promise<Noted> {
    const data = { linkId: id, expiresAt: new Date(expiresAt).toISOString() };
    const noted = await this.change(by, () =>
      changed(null, 'export.link_created', { type: 'export', id: exportId }, data),
    );
    return noted.ok ? { ok: true } : noted;
  }

  async noteDownload(exportId: string, by: By): Promise<Noted> {
    return await this.#note(exportId, `${by.actor.type}:${by.actor.id}`, {}, by);
  }

  /**
   * Whether a link still works: whoever made it answers for it, and must still be somebody who may
   * download. `leaves`: the file is about to.
   */
  async admitByLink(link: ExportLink, leaves: boolean, requestId: string): Promise<Noted> {
    const maker = identityNow(link.madeBy, this.open(), Date.now());
    if (maker?.role !== 'admin') return refusal('forbidden', 'This link does not work any more.');
    if (!leaves) return { ok: true };
    const by = { actor: maker.actor, requestId };
    return await this.#note(link.exportId, link.id, { linkId: link.id }, by);
  }

  async #note(
    exportId: string,
    via: string,
    data: { readonly linkId?: string },
    by: By,
  ): Promise<Noted> {
    if (this.open().downloads.isKnown(exportId, via, Date.now())) return { ok: true };
    const noted = await this.change(by, ({ downloads }) => {
      downloads.put(exportId, via, Date.now());
      return changed(null, 'export.downloaded', { type: 'export', id: exportId }, data);
    });
    return noted.ok ? { ok: true } : noted;
  }
}
