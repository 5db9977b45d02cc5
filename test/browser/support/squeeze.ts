/**
 * A picture of a page as a PNG with a palette: a page has few colours, and the shades at the edges of
 * letters may each be the nearest of them. https://www.w3.org/TR/png-3/
 */
import { constants, crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE_BYTES = 8;
const COLOURS_MAX = 256;
/** Of them, for what there is little of but stands out: a lamp, a link. */
const RARE_COLOURS = 64;
const BEST = { level: constants.Z_BEST_COMPRESSION, memLevel: 9 };

interface Picture {
  readonly width: number;
  readonly height: number;
  /** Colours, row by row, as 0xRRGGBB. */
  readonly pixels: Uint32Array;
}

export function squeezed(png: Buffer): Buffer {
  const { width, height, pixels } = readPng(png);
  const palette = commonColours(pixels);
  const known = new Map(palette.map((colour, index) => [colour, index]));
  const rows = Buffer.alloc(height * (width + 1));
  for (const [at, colour] of pixels.entries()) {
    const index = known.get(colour) ?? nearest(palette, colour);
    known.set(colour, index);
    rows[at + Math.floor(at / width) + 1] = index;
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  // Eight bits for each pixel, each the number of a colour.
  head.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap((colour) => channelsOf(colour)));
  return Buffer.concat([
    png.subarray(0, SIGNATURE_BYTES),
    chunk('IHDR', head),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(rows, BEST)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function commonColours(pixels: Uint32Array): number[] {
  const counts = new Map<number, number>();
  for (const colour of pixels) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a).map(([colour]) => colour);
  const palette = sorted.slice(0, COLOURS_MAX - RARE_COLOURS);
  const rest = sorted.slice(palette.length).map((colour) => ({
    colour,
    away: Math.min(...palette.map((other) => distance(channelsOf(other), channelsOf(colour)))),
  }));
  while (rest.length > 0 && palette.length < COLOURS_MAX) {
    const farthest = rest.reduce((a, b) => (b.away > a.away ? b : a));
    palette.push(farthest.colour);
    for (const one of rest)
      one.away = Math.min(one.away, distance(channelsOf(one.colour), channelsOf(farthest.colour)));
  }
  return palette;
}

function nearest(palette: readonly number[], colour: number): number {
  const distances = palette.map((other) => distance(channelsOf(other), channelsOf(colour)));
  return distances.indexOf(Math.min(...distances));
}

function distance(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, channel, at) => sum + (channel - (b[at] ?? 0)) ** 2, 0);
}

function channelsOf(colour: number): number[] {
  return [colour >> 16, (colour >> 8) & 0xff, colour & 0xff];
}

/** As Chromium writes them: eight bits a channel, with or without alpha, not interlaced. */
function readPng(png: Buffer): Picture {
  const [width, height, colourType] = [png.readUInt32BE(16), png.readUInt32BE(20), png[25]];
  const channels = colourType === 6 ? 4 : 3;
  const bytes = unfiltered(inflateSync(dataOf(png)), width * channels, channels);
  const pixels = Uint32Array.from({ length: width * height }, (_, at) =>
    bytes.readUIntBE(at * channels, 3),
  );
  return { width, height, pixels };
}

function dataOf(png: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = SIGNATURE_BYTES; at < png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      parts.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  return Buffer.concat(parts);
}

/** https://www.w3.org/TR/png-3/#9Filters */
function unfiltered(data: Buffer, stride: number, channels: number): Buffer {
  const rows = data.length / (stride + 1);
  const out = Buffer.alloc(rows * stride);
  for (let row = 0; row < rows; row += 1) {
    const filter = data[row * (stride + 1)] ?? 0;
    for (let x = 0; x < stride; x += 1) {
      const at = row * stride + x;
      const left = x < channels ? 0 : (out[at - channels] ?? 0);
      const up = row === 0 ? 0 : (out[at - stride] ?? 0);
      const corner = row === 0 || x < channels ? 0 : (out[at - stride - channels] ?? 0);
      const raw = data[row * (stride + 1) + 1 + x] ?? 0;
      out[at] = raw + predicted(filter, left, up, corner);
    }
  }
  return out;
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(left + up - corner - value));
  if (a === undefined || b === undefined || c === undefined) return 0;
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, check]);
}
