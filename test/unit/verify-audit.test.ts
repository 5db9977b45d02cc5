/** The offline verifier: whatever is done to a log or a checkpoint, the right entry is named. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { chunksOf, type Line, linesOf } from '../../scripts/verify-audit/lines.ts';
import { checkedHere, verifyLog } from '../../scripts/verify-audit/log.ts';
import type { AuditEntry } from '../../src/contract/audit.ts';
import { formOf } from '../../src/engine/audit-parts.ts';
import { genesisHash, link } from '../../src/engine/chain.ts';
import {
  auditLog,
  checkpointOf,
  newSigner,
  published,
  signedCheckpoint,
  timeOf,
  withErased,
} from './support/audit-log.ts';
import { check, ndjson, streamOf, trusted } from './support/verify-audit.ts';

const LENGTH = 8;
const LOG = auditLog(LENGTH);

describe('a log that is whole', () => {
  test('is summed up', async () => {
    expect(await check(LOG, [trusted(LOG, 3), trusted(LOG), trusted(LOG, 0)])).toEqual({
      ok: true,
      tenantId: 'acme',
      entries: LENGTH,
      firstAt: timeOf(1),
      lastAt: timeOf(LENGTH),
      head: LOG.at(-1)?.hash,
      checkpoints: 3,
      parts: { whole: 17, erased: 2, told: 0 },
    });
  });

  test('names its tenant itself, unless one is demanded', async () => {
    expect(await check(LOG, [], null)).toMatchObject({ ok: true, tenantId: 'acme' });
    expect(await check(LOG, [], 'other')).toMatchObject({ ok: false, seq: 1, line: 1 });
    expect(await check(LOG.slice(1), [], null)).toMatchObject({ ok: false, seq: 1, line: 1 });
  });

  test('may lack its last newline, and may have Windows’ line ends', async () => {
    expect(await check(ndjson(LOG).trimEnd())).toMatchObject({ ok: true, entries: LENGTH });
    expect(await check(ndjson(LOG).replaceAll('\n', '\r\n'))).toMatchObject({ ok: true });
  });

  test('may be empty for a tenant that is named', async () => {
    expect(await check('')).toMatchObject({ ok: true, entries: 0, head: genesisHash('acme') });
    expect(await check('', [], null)).toMatchObject({ ok: false, seq: 1 });
  });
});

describe('a log that was tampered with', () => {
  test.each<[string, (log: AuditEntry[]) => AuditEntry[], number]>([
    ['the first is dropped', (log) => log.slice(1), 1],
    ['one is dropped', (log) => log.toSpliced(4, 1), 5],
    ['two are swapped', (log) => log.toSpliced(2, 2, ...log.slice(2, 4).toReversed()), 3],
    ['one is doubled', (log) => log.toSpliced(3, 0, ...log.slice(2, 3)), 4],
    [
      'one is put in',
      (log) => log.toSpliced(5, 0, ...auditLog(LENGTH, 'acme', 'x').slice(5, 6)),
      6,
    ],
    ['the end is of another log', (log) => [...log.slice(0, 6), ...auditLog(8, 'b').slice(6)], 7],
  ])('%s', async (_name, tamper, seq) => {
    const verdict = await check(tamper([...LOG]), [trusted(LOG)]);
    expect(verdict).toMatchObject({ ok: false, seq, line: seq });
  });

  test('every byte counts: turned in any bit, its own entry or the next is named', async () => {
    const bytes = Buffer.from(ndjson(LOG.slice(0, 3)));
    const ends = bytes.length - 1;
    for (let place = 0; place < ends; place += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(place) ^ (1 << (place % 8)), place);
      const line = bytes.subarray(0, place).toString('latin1').split('\n').length;
      expect(await check(changed), `byte ${place}`).toMatchObject({ ok: false, seq: line, line });
    }
  });

  test.each([
    ['a name twice', (line: string) => line.replace('{', '{"action":"workflow.deleted",')],
    [
      'a number that no double holds',
      (line: string) => line.replace(':4,', ':4.00000000000000001,'),
    ],
    ['a space', (line: string) => line.replace(',', ', ')],
    ['not JSON', () => '{'],
    ['no object', () => '[4]'],
    ['nothing', () => ''],
    ['no hash', (line: string) => line.replace('"hash"', '"Hash"')],
    ['an object for the number', (line: string) => line.replace('"seq":4', '"seq":{}')],
    ['arrays in arrays without end', () => `{"seq":${'['.repeat(1e5)}${']'.repeat(1e5)}}`],
  ])('a line with %s', async (_name, change) => {
    const lines = ndjson(LOG).split('\n');
    const text = lines.map((line, index) => (index === 3 ? change(line) : line)).join('\n');
    expect(await check(text)).toMatchObject({ ok: false, seq: 4, line: 4 });
  });

  test('what follows the log is named too', async () => {
    const after = { ok: false, seq: LENGTH + 1, line: LENGTH + 1 };
    expect(await check(`${ndjson(LOG)}\n`)).toMatchObject(after);
    expect(await check(`${ndjson(LOG)}{}`)).toMatchObject(after);
  });

  test('a damaged byte of UTF-8 is not read as the character that stands for damage', async () => {
    const [first, ...rest] = LOG;
    if (first === undefined) throw new Error('short');
    const { hash: _hash, ...old } = first;
    const log = [link({ ...old, data: { word: '\ufffd' } }), ...rest];
    const bytes = Buffer.from(ndjson(log.slice(0, 1)));
    expect(await check(bytes)).toMatchObject({ ok: true });
    const place = bytes.indexOf('\ufffd');
    const damaged = Buffer.concat([
      bytes.subarray(0, place),
      Buffer.of(0xff),
      bytes.subarray(place + 3),
    ]);
    expect(await check(damaged)).toMatchObject({ ok: false, seq: 1, line: 1 });
  });
});

describe('private parts', () => {
  const SECOND = LOG[1];
  if (SECOND === undefined) throw new Error('short');
  const proof = SECOND.private?.['actor.name'];
  if (proof?.salt === undefined) throw new Error('no salt');
  const other = proof.salt.replace('0', '1');
  /** The log with another second entry. */
  const checkWith = (entry: object) =>
    check(`${JSON.stringify(LOG[0])}\n${JSON.stringify(entry)}\n${ndjson(LOG.slice(2))}`);

  test('one that was erased fits as well, whichever and however many', async () => {
    const paths = Object.keys(SECOND.private ?? {});
    const bare = paths.reduce(withErased, SECOND);
    const log = LOG.with(1, bare);
    expect(await check(log, [trusted(LOG)])).toMatchObject({
      ok: true,
      head: LOG.at(-1)?.hash,
      parts: { whole: 17 - paths.length, erased: 2 + paths.length },
    });
    expect(JSON.stringify(bare)).not.toContain('Größe');
  });

  test('the form that is hashed fits too, with every part taken for erased', async () => {
    const { private: _private, ...bare } = SECOND;
    const form = JSON.parse(JSON.stringify({ ...formOf(SECOND), hash: bare.hash }));
    const paths = Object.keys(SECOND.private ?? {}).length;
    const parts = { whole: 17 - paths, erased: 2 + paths, told: 0 };
    expect(await checkWith(form)).toMatchObject({ ok: true, parts });
  });

  test.each<[string, object, string]>([
    [
      'with another value',
      { ...SECOND, actor: { ...SECOND.actor, name: 'Klein' } },
      'actor.name does not fit its digest',
    ],
    [
      'with another salt',
      { ...SECOND, private: { ...SECOND.private, 'actor.name': { ...proof, salt: other } } },
      'actor.name does not fit its digest',
    ],
    [
      'with a salt of another length',
      { ...SECOND, private: { ...SECOND.private, 'actor.name': { ...proof, salt: 'ab' } } },
      'actor.name does not fit its digest',
    ],
    [
      'without its salt, and not erased',
      { ...SECOND, private: { ...SECOND.private, 'actor.name': { digest: proof.digest } } },
      'actor.name was erased, and something stands in its place',
    ],
    [
      'erased, and something else in its place',
      {
        ...withErased(SECOND, 'actor.name'),
        actor: { ...SECOND.actor, name: '[Erased]' },
      },
      'actor.name was erased, and something stands in its place',
    ],
    [
      'with more than its digest and salt',
      { ...SECOND, private: { ...SECOND.private, 'actor.name': { ...proof, more: 1 } } },
      'actor.name holds more than its digest and salt',
    ],
  ])('%s', async (_name, entry, reason) => {
    expect(await checkWith(entry)).toEqual({
      ok: false,
      seq: 2,
      line: 2,
      reason: `the private part ${reason} in entry 2`,
    });
  });

  test.each<[string, object]>([
    [
      'its digest changed',
      {
        ...SECOND,
        private: { ...SECOND.private, 'actor.name': { ...proof, digest: 'ab'.repeat(32) } },
      },
    ],
    ['`private` taken away', { ...SECOND, private: undefined }],
    ['`private` emptied', { ...SECOND, private: {} }],
    ['`private` no object', { ...SECOND, private: [] }],
    ['a part no object', { ...SECOND, private: { ...SECOND.private, 'actor.name': 1 } }],
    [
      'a field more in `private`',
      { ...SECOND, private: { ...SECOND.private, 'data.version': proof } },
    ],
    ['a part of nothing', { ...SECOND, private: { ...SECOND.private, 'data.nothing': proof } }],
    ['a part elsewhere', { ...SECOND, private: { ...SECOND.private, 'target.id': proof } }],
    ['its field taken away', { ...SECOND, actor: { type: 'api_key', id: 'key_1' } }],
  ])('an entry with %s was changed', async (_name, entry) => {
    expect(await checkWith(entry)).toMatchObject({
      ok: false,
      seq: 2,
      reason: 'entry 2 was changed after it was written',
    });
  });

  test('the log tells of how many an erasure took: more are missing without one', async () => {
    const last = LOG.at(-1);
    if (last === undefined) throw new Error('short');
    const told = link({
      seq: LENGTH + 1,
      id: 'aud_9',
      at: timeOf(LENGTH + 1),
      actor: { type: 'api_key', id: 'key_1', name: 'Ops' },
      action: 'privacy.erased',
      target: { type: 'subject', id: 'sub_1' },
      requestId: 'r',
      data: { kind: 'customer', done: true, erased: { auditParts: 2 } },
      prevHash: last.hash,
    });
    expect(await check([...LOG, told])).toMatchObject({ parts: { erased: 2, told: 2 } });
    const taken = [...LOG.with(1, withErased(SECOND, 'data.word')), told];
    expect(await check(taken)).toMatchObject({ ok: true, parts: { erased: 3, told: 2 } });
  });
});

describe('what only a checkpoint shows', () => {
  const rewritten = auditLog(LENGTH, 'acme', 'second');

  test('a log that was cut off: the first entry that is gone', async () => {
    for (let size = 0; size < LENGTH; size += 1) {
      const verdict = await check(LOG.slice(0, size), [trusted(LOG, 2), trusted(LOG)]);
      expect(verdict).toMatchObject({ ok: false, seq: size + 1, line: size + 1 });
      expect(await check(LOG.slice(0, size))).toMatchObject({ ok: true });
    }
  });

  test('a log that was written anew: from the first entry that nothing vouches for', async () => {
    expect(await check(rewritten)).toMatchObject({ ok: true });
    expect(await check(rewritten, [trusted(LOG)])).toEqual({
      ok: false,
      seq: 1,
      line: LENGTH,
      reason:
        'the log was written anew: its entries 1 to 8 are not those that checkpoint 8 is signed over',
    });
  });

  test('a log that was written anew from some entry on', async () => {
    const forged = LOG.slice(0, 5);
    for (const { hash: _hash, ...entry } of rewritten.slice(5))
      forged.push(link({ ...entry, prevHash: forged.at(-1)?.hash ?? '' }));
    expect(await check(forged)).toMatchObject({ ok: true });
    const checkpoints = [trusted(LOG), trusted(LOG, 5)];
    expect(await check(forged, checkpoints)).toMatchObject({ ok: false, seq: 6, line: LENGTH });
  });

  test('two signed pasts: the log contradicts itself', async () => {
    expect(await check(LOG, [trusted(LOG, 4), trusted(rewritten, 4)])).toMatchObject({
      ok: false,
      seq: null,
      reason: expect.stringContaining('contradict each other'),
    });
  });

  test('a checkpoint of nothing has the root of nothing', async () => {
    const lie = { ...checkpointOf(LOG, 0), root: 'ab'.repeat(32) };
    expect(await check(LOG, [{ ...trusted(LOG), checkpoint: lie }])).toMatchObject({ ok: false });
  });

  test('a retired key that signed over what came later', async () => {
    const signed = { ...trusted(LOG, 5), until: timeOf(6) };
    expect(await check(LOG, [signed])).toMatchObject({ ok: true });
    expect(await check(LOG, [{ ...signed, until: timeOf(5) }])).toMatchObject({
      ok: false,
      seq: 5,
      reason: 'the key of checkpoint 5 was retired before entry 5 was written',
    });
  });
});

describe('reading', () => {
  test('lines are the same however the bytes arrive', async () => {
    const text = `${ndjson(LOG.slice(0, 2))}\r\n\nü✓`;
    const bytes = Buffer.from(text);
    const expected = text.split('\n').map((line) => line.replace(/\r$/, ''));
    const read = async (size: number) => {
      const lines: Line[] = [];
      for await (const chunk of chunksOf(streamOf(bytes, size))) lines.push(...linesOf(chunk));
      return lines;
    };
    for (const size of [1, 2, 3, 7, 100, bytes.length]) expect(await read(size)).toEqual(expected);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: bytes.length }), async (size) => {
        expect(await read(size)).toEqual(expected);
      }),
      { seed: 20_260_405, numRuns: 50 },
    );
  });

  test('a file without newlines is given up, not kept', async () => {
    let taken = 0;
    const endless = async function* () {
      for (; taken < 1_000; taken += 1) yield Buffer.alloc(1 << 20, 'a');
    };
    const verdict = await verifyLog(checkedHere(chunksOf(endless()), false), 'acme', []);
    expect(verdict).toMatchObject({ ok: false, seq: 1, line: 1 });
    expect(taken).toBeLessThan(20);
  });
});

describe('the command', { timeout: 60_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'signalbox-verify-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const put = (name: string, content: string) => {
    writeFileSync(join(directory, name), content);
    return join(directory, name);
  };
  const script = fileURLToPath(new URL('../../scripts/signalbox.mjs', import.meta.url));
  const runWith = (input: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [script, 'audit', 'verify', ...args],
      { input, encoding: 'utf8' },
    );
    return { status, text: `${stdout}${stderr}` };
  };
  const run = (...args: string[]) => runWith('', ...args);
  const signer = await newSigner();
  const keys = put('keys.json', JSON.stringify({ keys: [published(signer)] }));
  const log = put('log.ndjson', ndjson(LOG));
  const checkpoint = put('checkpoint.txt', await signedCheckpoint(LOG, signer));
  const early = put('early.txt', await signedCheckpoint(LOG, signer, 3));

  test('0 for a whole log, with what was checked', () => {
    const { status, text } = run(
      log,
      '--keys',
      keys,
      '--checkpoint',
      checkpoint,
      '--checkpoint',
      early,
    );
    expect(text).toContain('The audit chain of acme is whole.');
    expect(text).toMatch(/entries +8, 2026-03-01T12:01:00.000Z to 2026-03-01T12:08:00.000Z/);
    expect(text).toMatch(new RegExp(`head +${LOG.at(-1)?.hash}`));
    expect(text).toMatch(
      /private +17 fit their digests, 2 were erased, 2 of them by no erasure that the log tells of/,
    );
    expect(text).toMatch(/checkpoints +2 matched/);
    expect(status).toBe(0);
    expect(run(log).status).toBe(0);
    expect(run(log).text).toContain('none given');
    expect(runWith(ndjson(LOG), '-', '--tenant', 'acme').status).toBe(0);
  });

  test('1 for one that is not, with the entry and its line', () => {
    const dropped = put('dropped.ndjson', ndjson(LOG.toSpliced(4, 1)));
    expect(run(dropped)).toEqual({
      status: 1,
      text: 'The audit chain does not verify: entry 5 is missing.\nfirst bad entry  5 (line 5)\n',
    });
    const cut = put('cut.ndjson', ndjson(LOG.slice(0, 6)));
    expect(run(cut, '--keys', keys, '--checkpoint', checkpoint)).toMatchObject({
      status: 1,
      text: expect.stringContaining('first bad entry  7 (line 7)'),
    });
    expect(run(log, '--tenant', 'other').status).toBe(1);
  });

  test('the same for a log that several threads read', () => {
    const whole = ndjson(auditLog(4_000));
    const long = put('long.ndjson', whole);
    expect(Buffer.byteLength(whole)).toBeGreaterThan(2 * (1 << 20));
    expect(run(long)).toMatchObject({ status: 0, text: expect.stringMatching(/entries +4000,/) });
    const lines = whole.split('\n');
    const damaged = put('damaged.ndjson', lines.with(3_500, lines[0] ?? '').join('\n'));
    const told = 'first bad entry  3501 (line 3501)';
    expect(run(damaged)).toMatchObject({ status: 1, text: expect.stringContaining(told) });
  });

  test('1 for a checkpoint that was forged, changed or is another tenant’s', async () => {
    const forger = await newSigner();
    const forged = put('forged.txt', await signedCheckpoint(auditLog(9), forger));
    const changed = put('changed.txt', (await signedCheckpoint(LOG, signer)).replace('8', '7'));
    const foreign = put('foreign.txt', await signedCheckpoint(auditLog(3, 'b2'), signer, 3, 'b2'));
    const told = (file: string) =>
      run(log, '--tenant', 'acme', '--keys', keys, '--checkpoint', file);
    expect(told(forged)).toMatchObject({
      status: 1,
      text: expect.stringContaining('checkpoint forged.txt is not to be trusted: none of the'),
    });
    expect(told(changed)).toMatchObject({
      status: 1,
      text: expect.stringContaining('checkpoint changed.txt is not to be trusted: the signature'),
    });
    expect(told(foreign)).toMatchObject({
      status: 1,
      text: expect.stringContaining('checkpoint foreign.txt is of tenant b2, not of acme'),
    });
  });

  test('2 for what cannot be checked', () => {
    const noKeys = put('no-keys.json', '{"keys":[{"name":"signalbox"}]}');
    const requests = [
      [],
      [log, log],
      [log, '--nonsense'],
      [log, '--tenant', 'No Tenant'],
      [log, '--checkpoint', checkpoint],
      [log, '--keys', keys],
      [log, '--keys', noKeys, '--checkpoint', checkpoint],
      [log, '--keys', log, '--checkpoint', checkpoint],
      [log, '--keys', keys, '--checkpoint', join(directory, 'nowhere')],
      [join(directory, 'nowhere')],
      [directory],
    ];
    for (const args of requests)
      expect(run(...args), args.join(' ')).toMatchObject({
        status: 2,
        text: expect.stringContaining('Use: npx signalbox audit verify'),
      });
  });
});

describe('at random', () => {
  test('whatever is kept of a log in whatever order, only a beginning of it verifies', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(LENGTH - 1), { maxLength: LENGTH + 1 }), async (places) => {
        const kept = places.flatMap((place) => LOG.slice(place, place + 1));
        const isBeginning = places.every((place, index) => place === index);
        expect((await check(kept)).ok).toBe(isBeginning);
        const isWhole = isBeginning && places.length === LENGTH;
        expect((await check(kept, [trusted(LOG)])).ok).toBe(isWhole);
      }),
      { seed: 20_260_406, numRuns: 300 },
    );
  });
});
