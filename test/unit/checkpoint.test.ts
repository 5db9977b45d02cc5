/** Signed notes and checkpoints: the C2SP formats, their published examples, and forgeries. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { auditKeys } from '../../src/contract/audit-keys.ts';
import {
  formatCheckpoint,
  parseCheckpoint,
  publishedKey,
  signCheckpoint,
  verifyCheckpoint,
} from '../../src/engine/checkpoint.ts';
import { consistencyProof, leafHash, subtreesOf } from '../../src/engine/merkle.ts';
import {
  fromBase64,
  type NoteKey,
  noteKeyId,
  parseNote,
  signNote,
  verifyEd25519,
  verifyNote,
} from '../../src/engine/signed-note.ts';
import {
  auditLog,
  checkpointOf,
  newSigner,
  published,
  signedCheckpoint,
} from './support/audit-log.ts';
import { always } from './support/properties.ts';
import { readVectors } from './support/vectors.ts';

/** A verifier key in the format's own text: `name+id+base64(type || public key)`. */
function keyOf(vkey: string): NoteKey & { id: string } {
  const [, name = '', id = '', base64 = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(vkey) ?? [];
  const bytes = fromBase64(base64) ?? new Uint8Array();
  expect(bytes[0]).toBe(1);
  return { name, id, publicKey: bytes.subarray(1) };
}

// The example of the specification.
const FOO = keyOf('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
const FOO_NOTE =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
// The examples of the reference implementation, golang.org/x/mod/sumdb/note.
const PETER = keyOf('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW');
const ENOCH = keyOf('EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop');
const PETER_SEED = 'AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETER_LINE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const ENOCH_LINE =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n';

/** A private key from its 32 bytes: PKCS #8 puts this before them (RFC 8410). */
async function privateKeyOf(seed: Uint8Array) {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  return crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign']);
}

describe('a signed note', () => {
  test('the published examples verify, and their keys have the published ids', async () => {
    for (const key of [FOO, PETER, ENOCH]) expect(noteKeyId(key)).toBe(key.id);
    expect(await verifyNote(FOO_NOTE, [FOO])).toMatchObject({ ok: true, by: [FOO] });
    const both = `${TEXT}\n${PETER_LINE}${ENOCH_LINE}`;
    expect(await verifyNote(both, [PETER])).toEqual({ ok: true, text: TEXT, by: [PETER] });
    expect(await verifyNote(both, [ENOCH, PETER])).toMatchObject({ by: [PETER, ENOCH] });
    expect(await verifyNote(both, [FOO])).toMatchObject({ ok: false });
  });

  test('signing gives the published bytes', async () => {
    const seed = (fromBase64(PETER_SEED) ?? new Uint8Array()).subarray(1);
    const signer = { ...PETER, privateKey: await privateKeyOf(seed) };
    expect(await signNote(TEXT, [signer])).toBe(`${TEXT}\n${PETER_LINE}`);
  });

  test.each([
    ['no signature', TEXT],
    ['an empty line alone', `${TEXT}\n`],
    ['no last newline', `${TEXT}\n${PETER_LINE.slice(0, -1)}`],
    ['a control character', `\x01${TEXT}\n${PETER_LINE}`],
    ['a carriage return', `${TEXT}\n${PETER_LINE.slice(0, -1)}\r\n`],
    ['an unpaired surrogate', `\ud800${TEXT}\n${PETER_LINE}`],
    ['a name with a space', `${TEXT}\n${PETER_LINE.replace('Neumann', ' Neumann')}`],
    ['a name with a plus', `${TEXT}\n${PETER_LINE.replace('Neumann', '+Neumann')}`],
    ['another line after it', `${TEXT}\n${PETER_LINE}Unexpected line.\n`],
    ['a hyphen for the dash', `${TEXT}\n${PETER_LINE.replace('—', '-')}`],
    ['a signature of no bytes', `${TEXT}\n— PeterNeumann x08gow==\n`],
    ['base64 without padding', `${TEXT}\n${PETER_LINE.replace('=', '')}`],
    ['101 signatures', `${TEXT}\n${PETER_LINE.repeat(101)}`],
  ])('with %s it is none', async (_name, note) => {
    expect(parseNote(note)).toBeNull();
    expect(await verifyNote(note, [PETER])).toMatchObject({ ok: false });
  });

  test('a known key’s bad signature spoils the note, another key’s is passed over', async () => {
    const bad = PETER_LINE.replace('ZJku', 'ZJkv');
    expect(await verifyNote(`${TEXT}\n${ENOCH_LINE}${bad}`, [ENOCH, PETER])).toEqual({
      ok: false,
      reason: 'the signature of PeterNeumann+c74f20a3 is not of this text',
    });
    expect((await verifyNote(`${TEXT}\n${ENOCH_LINE}${bad}`, [ENOCH])).ok).toBe(true);
    expect((await verifyNote(`${TEXT}\n${PETER_LINE.repeat(100)}`, [PETER])).ok).toBe(true);
  });

  test('what no note can hold is not signed', async () => {
    const signer = await newSigner();
    for (const text of ['', 'abc', 'a\tb\n', '\ud800\n'])
      await expect(signNote(text, [signer]), text).rejects.toThrow(RangeError);
    for (const name of ['', 'a b', 'a+b', 'a\u2003b'])
      await expect(signNote('a\n', [{ ...signer, name }]), name).rejects.toThrow(RangeError);
  });

  test('one that changed in a character does not verify', async () => {
    const note = `${TEXT}\n${PETER_LINE}`;
    const places = Array.from({ length: note.length }, (_, place) => place);
    for (const place of places) {
      const other = note[place] === 'A' ? 'B' : 'A';
      const changed = `${note.slice(0, place)}${other}${note.slice(place + 1)}`;
      expect((await verifyNote(changed, [PETER])).ok, `character ${place}`).toBe(false);
    }
  });
});

describe('a checkpoint', () => {
  const root = 'ab'.repeat(32);

  test('the specification’s example is read and written back', () => {
    const text =
      'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
    const checkpoint = parseCheckpoint(text);
    expect(checkpoint).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163 });
    if (checkpoint !== null) expect(formatCheckpoint(checkpoint)).toBe(text);
    expect(parseCheckpoint(`${text}an extension\n`)).toEqual(checkpoint);
  });

  test('what is written is read back', () => {
    const origins = fc.string({ minLength: 1 }).filter((text) => !text.includes('\n'));
    always(
      20_260_404,
      300,
      fc.property(origins, fc.maxSafeNat(), (origin, size) => {
        const checkpoint = { origin, size, root };
        expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint);
      }),
    );
  });

  test.each([
    'a\n1\n',
    'a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=',
    '\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n',
    'a\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n',
    'a\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n',
    'a\n9999999999999999\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n',
    'a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n',
    'a\n1\nCsUYapGGPo4dkMg=\n',
    'a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n',
  ])('%j is none', (text) => {
    expect(parseCheckpoint(text)).toBeNull();
  });

  test.each([
    { origin: '', size: 1, root },
    { origin: 'a\nb', size: 1, root },
    { origin: 'a', size: -1, root },
    { origin: 'a', size: 2 ** 53, root },
    { origin: 'a', size: 1, root: root.toUpperCase() },
  ])('%j is not written', (checkpoint) => {
    expect(() => formatCheckpoint(checkpoint)).toThrow(RangeError);
  });

  test('a signed one opens with the tenant it is of, and with no other key', async () => {
    const [signer, stranger] = [await newSigner(), await newSigner()];
    const log = auditLog(5);
    const note = await signedCheckpoint(log, signer);
    expect(await verifyCheckpoint(note, [stranger, signer])).toEqual({
      ok: true,
      checkpoint: checkpointOf(log),
      tenantId: 'acme',
      by: [signer],
    });
    expect(await verifyCheckpoint(note, [stranger])).toMatchObject({ ok: false });
    expect(await verifyCheckpoint(note, [])).toMatchObject({ ok: false });
    const other = await newSigner('elsewhere');
    const foreign = await signNote(formatCheckpoint(checkpointOf(log)), [other]);
    expect(await verifyCheckpoint(foreign, [other])).toEqual({
      ok: false,
      reason: 'signalbox/acme is not a log of the key that signed it',
    });
    const chat = await signNote('hello\n', [signer]);
    expect(await verifyCheckpoint(chat, [signer])).toMatchObject({
      reason: 'the note is not a checkpoint',
    });
  });

  test('while a key is replaced, both sign, and either one is enough to verify', async () => {
    const [old, young] = [await newSigner(), await newSigner()];
    const note = await signCheckpoint(checkpointOf(auditLog(3)), null, [old, young]);
    for (const key of [old, young])
      expect(await verifyCheckpoint(note, [key])).toMatchObject({ ok: true, by: [key] });
  });
});

describe('what is never signed', () => {
  const log = auditLog(9);
  const proofOf = (from: number, to: number) =>
    consistencyProof(subtreesOf(log.map(({ hash }) => leafHash(hash))), from, to);

  test('the next one is, when it goes on from the last', async () => {
    const signer = await newSigner();
    const before = { last: checkpointOf(log, 4), proof: proofOf(4, 9) };
    const note = await signCheckpoint(checkpointOf(log), before, [signer]);
    expect(await verifyCheckpoint(note, [signer])).toMatchObject({ ok: true });
    const same = { last: checkpointOf(log), proof: [] };
    expect(await signCheckpoint(checkpointOf(log), same, [signer])).toBe(note);
    const fromNothing = { last: checkpointOf(log, 0), proof: [] };
    expect(await signCheckpoint(checkpointOf(log), fromNothing, [signer])).toBe(note);
  });

  test.each([
    ['another past', checkpointOf(auditLog(9, 'acme', 'second'), 4), proofOf(4, 9)],
    ['another log of the same size', checkpointOf(auditLog(9, 'acme', 'second')), []],
    ['a longer log', checkpointOf(auditLog(12)), []],
    ['another tenant', { ...checkpointOf(log, 4), origin: 'signalbox/other' }, proofOf(4, 9)],
    ['a proof of something else', checkpointOf(log, 4), proofOf(5, 9)],
    ['no proof', checkpointOf(log, 4), []],
  ])('after one of %s', async (_name, last, proof) => {
    const signed = signCheckpoint(checkpointOf(log), { last, proof }, [await newSigner()]);
    await expect(signed).rejects.toThrow('contradicts');
  });

  test('an empty log with another root after an empty one', async () => {
    const empty = checkpointOf([], 0);
    const other = { ...empty, root: 'ab'.repeat(32) };
    const signed = signCheckpoint(other, { last: empty, proof: [] }, [await newSigner()]);
    await expect(signed).rejects.toThrow('contradicts');
  });
});

describe('the published keys', () => {
  test('they are read with their id, and refused with another one', async () => {
    const signer = await newSigner();
    const key = published(signer, '2026-06-01T02:00:00+02:00');
    const { keys } = auditKeys.parse({ keys: [key] });
    expect(keys.map(publishedKey)).toEqual([
      {
        name: 'signalbox',
        id: noteKeyId(signer),
        publicKey: signer.publicKey,
        from: '2026-01-01T00:00:00.000Z',
        until: '2026-06-01T00:00:00.000Z',
      },
    ]);
    expect(() => publishedKey({ ...key, id: '00000000' })).toThrow(RangeError);
    expect(() => publishedKey({ ...key, name: 'signalboy' })).toThrow(RangeError);
    expect(() => publishedKey({ ...key, publicKey: 'AAAA' })).toThrow(RangeError);
  });
});

describe('Ed25519 (Wycheproof)', () => {
  const files = readVectors(
    'wycheproof/ed25519_test.json',
    z.object({
      numberOfTests: z.number(),
      testGroups: z.array(
        z.object({
          publicKey: z.object({ pk: z.string() }),
          tests: z.array(
            z.object({ tcId: z.number(), msg: z.string(), sig: z.string(), result: z.string() }),
          ),
        }),
      ),
    }),
  );

  test.skipIf(files.length === 0)('all signatures are judged as they should be', async () => {
    let judged = 0;
    for (const { publicKey, tests } of files.flatMap(({ vector }) => vector.testGroups))
      for (const { tcId, msg, sig, result } of tests) {
        const [key, signature, message] = [publicKey.pk, sig, msg].map((hex) =>
          Uint8Array.from(Buffer.from(hex, 'hex')),
        );
        if (key === undefined || signature === undefined || message === undefined) continue;
        const ok = await verifyEd25519(key, signature, message);
        expect(ok, `test ${tcId}`).toBe(result === 'valid');
        judged += 1;
      }
    expect(judged).toBe(files[0]?.vector.numberOfTests);
  });

  test('a key or a signature of a wrong size verifies nothing', async () => {
    const message = new TextEncoder().encode('m');
    expect(await verifyEd25519(new Uint8Array(31), new Uint8Array(64), message)).toBe(false);
    expect(await verifyEd25519(PETER.publicKey, new Uint8Array(), message)).toBe(false);
  });
});
