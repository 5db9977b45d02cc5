/**
 * One slice of an export: reads some pages of orders, puts what fills parts into a multipart upload
 * and the remaining bytes into an object of their own, and writes down in D1 how far it is. Until
 * that row is written nothing has happened: a slice that died, or came second, leaves objects behind
 * that nothing names, and part numbers that the upload's completion leaves out.
 * https://developers.cloudflare.com/r2/objects/multipart-objects/
 */
import { commitExport, type ExportRow, findExport } from './export-rows.ts';
import { CONTENT_TYPES, orderLines } from './order-files.ts';
import { scanOrders } from './order-scan.ts';
import type { OrderFilter } from './orders.ts';
import { PartWriter } from './part-writer.ts';

/** When a slice stops, whichever comes first. */
export interface SliceLimits {
  readonly pages: number;
  readonly parts: number;
  readonly ms: number;
}

/**
 * A Worker runs on for 30 seconds after its answer, and may make 50 requests to D1 and R2 on the free
 * plan, thousands on others: a slice makes fewer than 50.
 * https://developers.cloudflare.com/workers/platform/limits/
 */
export const SLICE_LIMITS: SliceLimits = { pages: 24, parts: 6, ms: 8_000 };

/** The part numbers of a slice: its parts, what a last page of long texts brings, and the end. */
export const SLICE_NUMBERS = 16;

export interface ExportStores {
  readonly db: D1Database;
  readonly bucket: R2Bucket;
}

/** The bytes that a former slice left are gone, or the upload is: the file has to be begun again. */
export class LostFile extends Error {}

/** Works on, and answers the row as it is then: by this slice, or by one that was faster. */
export async function workSlice(
  { db, bucket }: ExportStores,
  row: ExportRow,
  filter: OrderFilter,
  limits: SliceLimits,
): Promise<ExportRow> {
  const slice = new Slice({ db, bucket }, row);
  try {
    await slice.work(filter, limits);
  } catch (error) {
    await slice.discard();
    throw error;
  }
  // When this throws, nobody can say whether it is written: what it names has to stay.
  if (!(await commitExport(db, row, slice.change))) {
    await slice.discard();
    return (await findExport(db, row.tenantId, row.id)) ?? row;
  }
  // Nothing names it any more. If this fails, it goes with the export's other files.
  if (row.rest !== null) await bucket.delete(row.rest).catch(() => undefined);
  return { ...row, ...slice.change, slices: row.slices + 1 };
}

type Change = Pick<
  ExportRow,
  'rows' | 'bytes' | 'cursor' | 'isRead' | 'objectKey' | 'uploadId' | 'parts' | 'rest'
>;

class Slice {
  readonly #stores: ExportStores;
  readonly #row: ExportRow;
  readonly #writer = new PartWriter((part) => this.#sendPart(part));
  /** The row as it is to be, as far as this slice has come. */
  change: Change;
  #number: number;
  #upload: R2MultipartUpload | null = null;

  constructor(stores: ExportStores, row: ExportRow) {
    this.#stores = stores;
    this.#row = row;
    this.#number = row.numbers - SLICE_NUMBERS;
    const { rows, bytes, cursor, isRead, objectKey, uploadId, parts } = row;
    this.change = { rows, bytes, cursor, isRead, objectKey, uploadId, parts, rest: null };
  }

  async work(filter: OrderFilter, limits: SliceLimits): Promise<void> {
    await this.#takeRest();
    await this.#readPages(filter, limits);
    const { isRead, uploadId } = this.change;
    if (isRead && uploadId === null) await this.#putWhole();
    else if (isRead) await this.#sendLast();
    else await this.#putRest();
  }

  /** Takes back what only this slice knows of. The first error is the one to tell. */
  async discard(): Promise<void> {
    const { rest, objectKey, uploadId } = this.change;
    const ownWhole = uploadId === null && objectKey !== this.#row.objectKey ? objectKey : null;
    const own = [rest, ownWhole].filter((key) => key !== null);
    if (own.length > 0) await this.#stores.bucket.delete(own).catch(() => undefined);
    if (this.#row.uploadId === null) await this.#upload?.abort().catch(() => undefined);
  }

  async #takeRest(): Promise<void> {
    const { rest } = this.#row;
    if (rest === null) return;
    const carried = await this.#stores.bucket.get(rest);
    if (carried === null) throw new LostFile('the bytes of the last slice are gone');
    await this.#writer.write(new Uint8Array(await carried.arrayBuffer()));
  }

  async #readPages(filter: OrderFilter, limits: SliceLimits): Promise<void> {
    const { tenantId, format, parts, upTo } = this.#row;
    const encoder = new TextEncoder();
    const begun = Date.now();
    let isFirst = this.#row.cursor === null;
    for (let pages = 0; pages < limits.pages && !this.change.isRead; pages += 1) {
      const sent = this.change.parts.length - parts.length;
      if (sent >= limits.parts || Date.now() - begun > limits.ms) return;
      const scan = { after: this.change.cursor, upTo: upTo ?? 0, filter };
      const { orders, next } = await scanOrders(this.#stores.db, tenantId, scan);
      await letOthersIn();
      const text = encoder.encode(orderLines(format, orders, isFirst));
      await this.#writer.write(text);
      isFirst = false;
      this.change = {
        ...this.change,
        rows: this.change.rows + orders.length,
        bytes: this.change.bytes + text.byteLength,
        cursor: next ?? this.change.cursor,
        isRead: next === null,
      };
    }
  }

  async #sendPart(bytes: Uint8Array): Promise<void> {
    this.#upload ??= await this.#openUpload();
    const part = await this.#upload.uploadPart(this.#nextNumber(), bytes);
    this.change = { ...this.change, parts: [...this.change.parts, part] };
  }

  async #openUpload(): Promise<R2MultipartUpload> {
    const { uploadId, objectKey } = this.#row;
    const { bucket } = this.#stores;
    if (uploadId !== null) return bucket.resumeMultipartUpload(objectKey, uploadId);
    const key = this.#ownKey(this.#row.format);
    const made = await bucket.createMultipartUpload(key, { httpMetadata: this.#metadata() });
    this.change = { ...this.change, objectKey: key, uploadId: made.uploadId };
    return made;
  }

  async #sendLast(): Promise<void> {
    const last = this.#writer.rest();
    if (last.byteLength > 0) await this.#sendPart(last);
  }

  /** All of it is less than a part: one object, and no upload. */
  async #putWhole(): Promise<void> {
    const objectKey = this.#ownKey(this.#row.format);
    this.change = { ...this.change, objectKey };
    const httpMetadata = this.#metadata();
    await this.#stores.bucket.put(objectKey, this.#writer.rest(), { httpMetadata });
  }

  async #putRest(): Promise<void> {
    const bytes = this.#writer.rest();
    if (bytes.byteLength === 0) return;
    const rest = this.#ownKey('rest');
    this.change = { ...this.change, rest };
    await this.#stores.bucket.put(rest, bytes);
  }

  /** No other slice has these numbers, so nobody else writes under this name. */
  #ownKey(ending: string): string {
    return `${filesOf(this.#row)}${this.#row.numbers}.${ending}`;
  }

  #nextNumber(): number {
    this.#number += 1;
    if (this.#number > this.#row.numbers) throw new Error('a slice has no more part numbers');
    return this.#number;
  }

  #metadata(): R2HTTPMetadata {
    const { id, format } = this.#row;
    return {
      contentType: CONTENT_TYPES[format],
      contentDisposition: `attachment; filename="${id}.${format}"`,
    };
  }
}

/**
 * On one machine D1, R2 and all Workers share an event loop that looks at its sockets when nothing else
 * is ready: without a pause no other request would be heard before the slice has ended.
 */
function letOthersIn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

/** What the keys of all of an export's objects begin with. */
export function filesOf({ tenantId, id }: Pick<ExportRow, 'tenantId' | 'id'>): string {
  return `exports/${tenantId}/${id}-`;
}
