/**
 * Cuts bytes of unknown length into parts of one size, as a multipart upload to R2 needs them: at
 * least 5 MiB, all the same but for the last, which may be smaller.
 * https://developers.cloudflare.com/r2/objects/multipart-objects/
 */

export const PART_BYTES = 5 * 1_048_576;

export class PartWriter {
  readonly #send: (part: Uint8Array) => Promise<void>;
  readonly #part = new Uint8Array(PART_BYTES);
  #used = 0;

  /** `send` gets a view that is only good until it resolves. */
  constructor(send: (part: Uint8Array) => Promise<void>) {
    this.#send = send;
  }

  /** Takes the bytes; waits while a full part is on its way. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.byteLength > 0; ) {
      const fitting = rest.subarray(0, PART_BYTES - this.#used);
      this.#part.set(fitting, this.#used);
      this.#used += fitting.byteLength;
      rest = rest.subarray(fitting.byteLength);
      if (this.#used < PART_BYTES) return;
      await this.#send(this.#part);
      this.#used = 0;
    }
  }

  /** What does not fill a part. */
  rest(): Uint8Array {
    return this.#part.subarray(0, this.#used);
  }
}
