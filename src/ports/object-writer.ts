/**
 * Writes an object of unknown length into R2 with constant memory. What fits in one part is put at
 * once; more becomes a multipart upload, whose parts have to be of one size of at least 5 MiB, but
 * for the last. https://developers.cloudflare.com/r2/objects/multipart-objects/
 */

export const PART_BYTES = 5 * 1_048_576;

export class ObjectWriter {
  readonly #bucket: R2Bucket;
  readonly #key: string;
  readonly #httpMetadata: R2HTTPMetadata;
  readonly #part = new Uint8Array(PART_BYTES);
  readonly #sent: R2UploadedPart[] = [];
  #used = 0;
  #upload: R2MultipartUpload | null = null;

  constructor(bucket: R2Bucket, key: string, httpMetadata: R2HTTPMetadata) {
    this.#bucket = bucket;
    this.#key = key;
    this.#httpMetadata = httpMetadata;
  }

  /** Bytes taken so far. */
  get bytes(): number {
    return this.#sent.length * PART_BYTES + this.#used;
  }

  /** Takes the bytes; waits while a full part is on its way. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.byteLength > 0; ) {
      const fitting = rest.subarray(0, PART_BYTES - this.#used);
      this.#part.set(fitting, this.#used);
      this.#used += fitting.byteLength;
      rest = rest.subarray(fitting.byteLength);
      if (this.#used === PART_BYTES) await this.#send();
    }
  }

  /** Makes the object appear under its key, in place of one that was there. */
  async close(): Promise<void> {
    if (this.#upload === null) {
      const httpMetadata = this.#httpMetadata;
      await this.#bucket.put(this.#key, this.#part.subarray(0, this.#used), { httpMetadata });
      return;
    }
    if (this.#used > 0) await this.#send();
    await this.#upload.complete(this.#sent);
    this.#upload = null;
  }

  /** Forgets what was taken; the key keeps what it had. After `close` there is nothing to forget. */
  async abort(): Promise<void> {
    await this.#upload?.abort();
  }

  async #send(): Promise<void> {
    const httpMetadata = this.#httpMetadata;
    this.#upload ??= await this.#bucket.createMultipartUpload(this.#key, { httpMetadata });
    const part = this.#part.subarray(0, this.#used);
    this.#sent.push(await this.#upload.uploadPart(this.#sent.length + 1, part));
    this.#used = 0;
  }
}
