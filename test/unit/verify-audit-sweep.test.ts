/**
 * A log of 1,000 entries, damaged at every place in every way: the verifier names the first bad entry,
 * each time. What lies before the damage is read once, or it would take hours.
 */
import { describe, expect, test } from 'vitest';
import { type Checked, verifyLog } from '../../scripts/verify-audit/log.ts';
import { nodeSha256 } from '../../scripts/verify-audit/node-sha256.ts';
import { SegmentReader } from '../../scripts/verify-audit/segment.ts';
import type { TrustedCheckpoint } from '../../scripts/verify-audit/watch.ts';
import type { AuditEntry } from '../../src/contract/audit.ts';
import { isJsonObject, type Json, type JsonObject } from '../../src/contract/json.ts';
import { genesisHash, link } from '../../src/engine/chain.ts';
import { auditLog } from './support/audit-log.ts';
import { check, trusted } from './support/verify-audit.ts';

const LENGTH = 1_000;
/** So many entries follow the damage: it shows in the first ones, or never. */
const FOLLOWING = 3;
const LOG = auditLog(LENGTH);
const reader = new SegmentReader(nodeSha256, true);
const WHOLE = LOG.map(checked);
const PLACES = [...LOG.keys()];

/** A line, read quickly where that can be done. */
function checked(entry: object): Checked {
  const bytes = Buffer.from(JSON.stringify(entry));
  return { bytes, segment: reader.read(bytes) };
}

/** The log before a place, as it was read once. */
function upTo(place: number): Checked[] {
  const entries = LOG.slice(0, place);
  const last = entries.at(-1);
  if (last === undefined) return [];
  const segment = {
    seq: 1,
    prevHash: genesisHash('acme'),
    entries: place,
    head: last.hash,
    parts: { whole: 0, erased: 0, told: 0 },
    first: JSON.parse(JSON.stringify(entries[0])),
    last: JSON.parse(JSON.stringify(last)),
    hashes: entries.map(({ hash }) => hash).join(''),
  };
  return [{ bytes: Buffer.alloc(0), segment }];
}

const goingOn = (place: number) => WHOLE.slice(place, place + FOLLOWING);

async function seqNamed(
  lines: readonly Checked[],
  checkpoints: readonly TrustedCheckpoint[] = [],
): Promise<number | null> {
  async function* chunks() {
    yield* lines;
  }
  const verdict = await verifyLog(chunks(), 'acme', checkpoints, nodeSha256);
  if (verdict.ok) return null;
  expect(verdict.line).toBe(verdict.seq);
  return verdict.seq;
}

/** The log with an entry in the place of another one, read quickly and by its value. */
async function seqNamedWith(place: number, entry: object): Promise<number | null> {
  const one = checked(entry);
  const log = (line: Checked) => [...upTo(place), line, ...goingOn(place + 1)];
  const named = await seqNamed(log(one));
  expect(await seqNamed(log({ ...one, segment: null }))).toBe(named);
  return named;
}

test('undamaged, it is whole, and of its lines some are read quickly and some are not', async () => {
  expect(await check(LOG, [trusted(LOG)])).toMatchObject({ ok: true, entries: LENGTH });
  const quick = WHOLE.filter(({ segment }) => segment !== null).length;
  expect(quick).toBeGreaterThan(LENGTH / 4);
  expect(quick).toBeLessThan((LENGTH * 3) / 4);
});

describe('at every place', { timeout: 60_000 }, () => {
  test('an entry that was taken out', async () => {
    for (const place of PLACES.slice(0, -1))
      expect(await seqNamed([...upTo(place), ...goingOn(place + 1)])).toBe(place + 1);
  });

  test('an entry that was put in: a copy, and one that was made to fit', async () => {
    for (const place of PLACES)
      for (const entry of [entryAt(place), forged(place)]) {
        const log = [...upTo(place), checked(entry), ...goingOn(place)];
        expect(await seqNamed(log)).toBe(place + 2);
      }
  });

  test('two entries that changed places: neighbours, and far ones', async () => {
    for (const place of PLACES.slice(0, -1))
      for (const other of [place + 1, LENGTH - 1])
        expect(await seqNamedWith(place, entryAt(other))).toBe(place + 1);
  });

  test('a log that ends there: a checkpoint shows it, nothing else', async () => {
    const checkpoint = trusted(LOG);
    for (const size of PLACES) {
      expect(await seqNamed(upTo(size))).toBeNull();
      expect(await seqNamed(upTo(size), [checkpoint])).toBe(size + 1);
    }
  });

  test('an entry that was changed and hashed again: the next one does not follow', async () => {
    for (const place of PLACES.slice(0, -1))
      expect(await seqNamedWith(place, forged(place))).toBe(place + 2);
  });

  test('a log that was written anew from there on: the checkpoint shows it', async () => {
    const anew = auditLog(LENGTH, 'acme', 'second');
    const checkpoints = [trusted(LOG, LENGTH / 2), trusted(LOG)];
    for (const place of PLACES.filter((place) => place % 50 === 0)) {
      const log = [...LOG.slice(0, place)];
      for (const { hash: _hash, private: _private, ...entry } of anew.slice(place))
        log.push(link({ ...entry, prevHash: log.at(-1)?.hash ?? genesisHash('acme') }));
      expect(await check(log)).toMatchObject({ ok: true });
      const seq = place < LENGTH / 2 ? 1 : LENGTH / 2 + 1;
      expect(await check(log, checkpoints)).toMatchObject({ ok: false, seq });
    }
  });

  test('a field that was changed, taken away or put in', async () => {
    let changes = 0;
    for (const [place, entry] of LOG.entries()) {
      const all = changesOf(JSON.parse(JSON.stringify(entry)));
      // Every field of the first ones, which are of every kind, and of each other one some field.
      const tried = place < 10 ? all : all.slice(place % all.length).slice(0, 1);
      for (const changed of tried) {
        expect(await seqNamedWith(place, changed), JSON.stringify(changed)).toBe(place + 1);
        changes += 1;
      }
    }
    expect(changes).toBeGreaterThan(LENGTH + 500);
  });
});

/** Another entry with that number, linked to the one before it. */
function forged(place: number): AuditEntry {
  const { hash: _hash, private: _private, ...entry } = entryAt(place);
  return link({ ...entry, data: { forged: true } });
}

function entryAt(place: number): AuditEntry {
  const entry = LOG[place];
  if (entry === undefined) throw new Error('no such place');
  return entry;
}

/** The value with each of its parts, at any depth, once changed, once gone; and with one more. */
function changesOf(value: JsonObject): JsonObject[] {
  const changes: JsonObject[] = [{ ...value, more: 1 }];
  for (const [name, item] of Object.entries(value)) {
    const { [name]: _gone, ...rest } = value;
    changes.push(rest, ...others(item).map((other) => ({ ...value, [name]: other })));
    if (!isJsonObject(item)) continue;
    changes.push(...changesOf(item).map((other) => ({ ...value, [name]: other })));
  }
  return changes;
}

function others(value: Json): Json[] {
  if (typeof value === 'string')
    return [`${value}x`, value.slice(0, -1), ''].filter((other) => other !== value);
  if (typeof value === 'number') return [value + 1, String(value)];
  if (typeof value === 'boolean') return [!value];
  if (Array.isArray(value)) return [[...value, 1], {}];
  return value === null ? [0] : [null, []];
}
