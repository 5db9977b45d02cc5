/** Parts as R2 takes them: all of one size, and what is left over. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PART_BYTES, PartWriter } from '../../src/ports/part-writer.ts';

it('cuts bytes of any lengths into full parts and a rest, in their order', async () => {
  const sizes = fc.array(
    fc.oneof(
      fc.nat(100),
      fc.nat(3 * PART_BYTES),
      fc.constantFrom(0, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1),
    ),
    { maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(sizes, async (lengths) => {
      const sent: Uint8Array[] = [];
      const writer = new PartWriter(async (part) => {
        await Promise.resolve();
        sent.push(part.slice());
      });
      for (const [at, length] of lengths.entries())
        await writer.write(new Uint8Array(length).fill(at + 1));
      for (const part of sent) expect(part.byteLength).toBe(PART_BYTES);
      expect(writer.rest().byteLength).toBeLessThan(PART_BYTES);
      const all = Buffer.concat([...sent, writer.rest()]);
      let from = 0;
      for (const [at, length] of lengths.entries()) {
        expect(all.subarray(from, from + length).every((byte) => byte === at + 1)).toBe(true);
        from += length;
      }
      expect(all.byteLength).toBe(from);
    }),
    { numRuns: 10 },
  );
});
