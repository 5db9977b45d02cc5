/** The audit chain (I5): how a hash is made, and that no change of a chain goes unseen. */
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../src/contract/audit.ts';
import { genesisHash, hashJson, link, verifyChain } from '../../src/engine/chain.ts';
import { always } from './support/properties.ts';

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

function entry(seq: number, prevHash: string): Omit<AuditEntry, 'hash'> {
  return {
    seq,
    id: `aud_${seq}`,
    at: `2026-03-01T12:00:0${seq % 10}.000Z`,
    actor: { type: 'api_key', id: 'key_1', name: 'Ops' },
    action: 'workflow.enabled',
    target: { type: 'workflow', id: 'wf_1' },
    requestId: `req-${seq}`,
    data: { version: seq, note: 'Größe ✓' },
    prevHash,
  };
}

function chain(length: number, tenantId = 'acme'): AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (let seq = 1; seq <= length; seq += 1)
    entries.push(link(entry(seq, entries.at(-1)?.hash ?? genesisHash(tenantId))));
  return entries;
}

describe('how a hash is made', () => {
  test('the first entry holds the hash of the tenant’s name in the format’s words', () => {
    expect(genesisHash('acme')).toBe(sha256('signalbox-audit-v2:acme'));
    expect(genesisHash('acme')).toBe(
      'a639678dfcee8c916f431e71beac457248b5bf3fd43479413de84ae4a8a1756c',
    );
  });

  test('an entry’s hash is of its canonical text without the hash', () => {
    const canonical =
      '{"action":"workflow.enabled","actor":{"id":"key_1","name":"Ops","type":"api_key"},' +
      '"at":"2026-03-01T12:00:01.000Z","data":{"note":"Größe ✓","version":1},"id":"aud_1",' +
      `"prevHash":"${sha256('signalbox-audit-v2:acme')}","requestId":"req-1","seq":1,` +
      '"target":{"id":"wf_1","type":"workflow"}}';
    const linked = link(entry(1, genesisHash('acme')));
    expect(linked.hash).toBe(sha256(canonical));
    expect(linked.hash).toBe('05576f2dd443117e8b14ea09d605514ad9ae24deb2ad3f0eb47cc5336ae9f866');
  });

  test('the order of fields does not matter, their values do', () => {
    expect(hashJson({ a: 1, b: [1, 2] })).toBe(hashJson({ b: [1, 2], a: 1 }));
    expect(hashJson({ a: 1, b: [1, 2] })).not.toBe(hashJson({ a: 1, b: [2, 1] }));
    expect(hashJson({ a: 1 })).not.toBe(hashJson({ a: '1' }));
    expect(hashJson({ a: null })).not.toBe(hashJson({}));
  });
});

describe('a chain that is whole', () => {
  test.each([0, 1, 2, 50])('%i entries verify, with the head that the next one needs', (length) => {
    const entries = chain(length);
    const head = entries.at(-1)?.hash ?? genesisHash('acme');
    expect(verifyChain('acme', entries)).toEqual({ ok: true, entries: length, head });
  });

  test('it verifies after a way through JSON, whatever the order of its fields', () => {
    const stored: AuditEntry[] = JSON.parse(JSON.stringify(chain(5)));
    const turned = stored.map(({ hash, actor, ...rest }) => ({ hash, ...rest, actor }));
    expect(verifyChain('acme', turned)).toMatchObject({ ok: true, entries: 5 });
  });

  test('it may come as a stream', () => {
    const stream = function* () {
      yield* chain(3);
    };
    expect(verifyChain('acme', stream())).toMatchObject({ ok: true, entries: 3 });
  });
});

describe('a chain that was tampered with', () => {
  const LENGTH = 6;
  const changes: [string, (entry: AuditEntry) => AuditEntry][] = [
    ['id', (e) => ({ ...e, id: 'aud_x' })],
    ['at', (e) => ({ ...e, at: '2026-03-01T12:00:00.001Z' })],
    ['actor.id', (e) => ({ ...e, actor: { ...e.actor, id: 'key_2' } })],
    ['actor.name', (e) => ({ ...e, actor: { ...e.actor, name: 'ops' } })],
    ['actor.type', (e) => ({ ...e, actor: { ...e.actor, type: 'member' } })],
    ['action', (e) => ({ ...e, action: 'workflow.disabled' })],
    ['target.id', (e) => ({ ...e, target: { ...e.target, id: 'wf_2' } })],
    ['target.type', (e) => ({ ...e, target: { ...e.target, type: 'run' } })],
    ['requestId', (e) => ({ ...e, requestId: '' })],
    ['data changed', (e) => ({ ...e, data: { ...e.data, version: 99 } })],
    ['data added', (e) => ({ ...e, data: { ...e.data, more: null } })],
    ['data removed', (e) => ({ ...e, data: {} })],
    ['a field added', (e) => Object.assign({ ...e }, { more: 1 })],
    ['hash', (e) => ({ ...e, hash: '0'.repeat(64) })],
    ['hash in capitals', (e) => ({ ...e, hash: e.hash.toUpperCase() })],
    ['prevHash', (e) => ({ ...e, prevHash: '0'.repeat(64) })],
    ['seq', (e) => ({ ...e, seq: e.seq + 1 })],
    ['seq as a part', (e) => ({ ...e, seq: e.seq + 0.5 })],
  ];

  test.each(changes)('%s: the entry is named, wherever it stands', (_name, change) => {
    for (let index = 0; index < LENGTH; index += 1) {
      const entries = chain(LENGTH);
      const tampered = entries.map((one, place) => (place === index ? change(one) : one));
      expect(verifyChain('acme', tampered)).toMatchObject({ ok: false, seq: index + 1 });
    }
  });

  test('an entry that was changed and hashed again breaks the one after it', () => {
    const [first, second, third, ...rest] = chain(LENGTH);
    if (first === undefined || second === undefined || third === undefined)
      throw new Error('short');
    const { hash: _hash, ...old } = second;
    const forged = link({ ...old, data: { version: 99 } });
    expect(verifyChain('acme', [first, forged, third, ...rest])).toEqual({
      ok: false,
      seq: 3,
      reason: 'entry 3 does not follow the entry before it',
    });
  });

  test.each<[string, (entries: AuditEntry[]) => AuditEntry[], number, string]>([
    ['the first is dropped', (all) => all.slice(1), 1, 'entry 1 is missing'],
    ['one is dropped', (all) => all.toSpliced(2, 1), 3, 'entry 3 is missing'],
    [
      'two are swapped',
      (all) => [...all.slice(0, 2), ...all.slice(2, 4).reverse(), ...all.slice(4)],
      3,
      'entry 3 is missing',
    ],
    ['one is doubled', (all) => all.toSpliced(3, 0, ...all.slice(2, 3)), 4, 'entry 4 is missing'],
    [
      'one is put in and linked to the one before it',
      (all) => all.toSpliced(3, 0, link(entry(4, all[2]?.hash ?? ''))),
      5,
      'entry 5 is missing',
    ],
    ['all are turned around', (all) => all.toReversed(), 1, 'entry 1 is missing'],
    [
      'the end is of another chain',
      (all) => [...all.slice(0, 3), ...chain(LENGTH, 'other').slice(3)],
      4,
      'entry 4 does not follow the entry before it',
    ],
  ])('%s', (_name, tamper, seq, reason) => {
    expect(verifyChain('acme', tamper(chain(LENGTH)))).toEqual({ ok: false, seq, reason });
  });

  test.each(['acm', 'acme2', 'Acme', ''])('passed off as the chain of %j', (tenantId) => {
    expect(verifyChain(tenantId, chain(LENGTH))).toEqual({
      ok: false,
      seq: 1,
      reason: 'entry 1 does not follow the entry before it',
    });
  });

  test('whatever of it is kept in whatever order, only a beginning of it verifies', () => {
    const entries = chain(LENGTH);
    always(
      20_260_308,
      1_000,
      fc.property(fc.array(fc.nat(LENGTH - 1), { maxLength: LENGTH + 1 }), (places) => {
        const kept = places.flatMap((place) => entries.slice(place, place + 1));
        const isBeginning = places.every((place, index) => place === index);
        expect(verifyChain('acme', kept).ok).toBe(isBeginning);
      }),
    );
  });
});
