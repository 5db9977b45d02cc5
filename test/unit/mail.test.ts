/** Mail addresses as people write them: names, quotes, domains of any script, and nothing that injects. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isHeaderText, mailboxText, parseMailbox } from '../../src/contract/mail.ts';

const plain = { name: null, address: 'ada@example.com' };

describe('an address', () => {
  it.each([
    ['ada@example.com', plain],
    [' ada@example.com ', plain],
    ['<ada@example.com>', plain],
    ['Ada Reyes <ada@example.com>', { ...plain, name: 'Ada Reyes' }],
    ['"Reyes, Ada" <ada@example.com>', { ...plain, name: 'Reyes, Ada' }],
    ['Reyes, Ada <ada@example.com>', { ...plain, name: 'Reyes, Ada' }],
    ['"a\\"b\\\\c" <ada@example.com>', { ...plain, name: 'a"b\\c' }],
    ['👩‍👩‍👧 Ada <ada@example.com>', { ...plain, name: '👩‍👩‍👧 Ada' }],
    ["o'brien+tag@x.co.uk", { name: null, address: "o'brien+tag@x.co.uk" }],
    ['ada@EXAMPLE.com', plain],
    ['joerg@exämple.com', { name: null, address: 'joerg@xn--exmple-cua.com' }],
    ['a@例え.テスト', { name: null, address: 'a@xn--r8jz45g.xn--zckzah' }],
    ['a@x。com', { name: null, address: 'a@x.com' }],
  ])('%s is taken', (written, mailbox) => {
    expect(parseMailbox(written)).toEqual(mailbox);
  });

  it.each([
    ...[
      '',
      '@',
      'ada',
      'ada@',
      '@example.com',
      '<>',
      '<',
      '>',
      'ada@localhost',
      'ada@example.com.',
    ],
    ...['ada@1.2.3.4', 'ada@[1.2.3.4]', 'ada@0x7f.1', 'ada@x.123', 'ada@-x.com', 'ada@x_y.com'],
    ...[
      'ada@example.com:25',
      'ada@example.com/x',
      'ada@example.com?x',
      'ada@x..com',
      'a@b@c d.com',
    ],
    ...['.ada@example.com', 'ada.@example.com', 'a..b@example.com', 'a b@example.com'],
    ...['jörg@example.com', '"a b"@example.com', 'ada(x)@example.com'],
    ...['a@example.com, b@example.com', 'A <a@example.com>, B <b@example.com>'],
    ...['"a" b <ada@example.com>', 'a"b <ada@example.com>', 'A <<ada@example.com>>'],
    ...['ada@example.com\n', 'ada\r\n@example.com', 'A\r\nBcc: x@example.com <ada@example.com>'],
    ...['A\0 <ada@example.com>', 'A\u2028 <ada@example.com>', 'evil\u202e <ada@example.com>'],
    ...['A\ud800 <ada@example.com>', '\ufeffada@example.com'],
  ])('%j is none', (written) => {
    expect(parseMailbox(written)).toBeNull();
  });

  it('keeps to the lengths of RFC 5321', () => {
    const label = 'd'.repeat(63);
    const domain = `${label}.${label}.${'e'.repeat(54)}.com`;
    expect(parseMailbox(`${'a'.repeat(64)}@${domain}`)?.address).toHaveLength(251);
    expect(parseMailbox(`${'a'.repeat(65)}@example.com`)).toBeNull();
    expect(parseMailbox(`${'a'.repeat(64)}@${label}.${domain}`)).toBeNull();
    expect(parseMailbox(`a@${'d'.repeat(64)}.com`)).toBeNull();
    expect(parseMailbox(`${'n'.repeat(101)} <ada@example.com>`)).toBeNull();
  });

  it('is written so that it reads the same again, and never breaks a line', () => {
    const name = fc.option(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }));
    fc.assert(
      fc.property(name, (written) => {
        const quoted = written === null ? null : `"${written.replaceAll(/[\\"]/g, '\\$&')}"`;
        const text = quoted === null ? 'ada@example.com' : `${quoted} <ada@example.com>`;
        const mailbox = parseMailbox(text);
        if (mailbox === null) return;
        const wire = mailboxText(mailbox);
        expect(wire).not.toMatch(/[\r\n\0]/);
        expect(parseMailbox(wire)).toEqual(mailbox);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is read in no time, whatever it is', () => {
    const odd = ['"\\', '<', '>', '"', '@', '.', 'a', ' ', '\\"', 'ä'];
    const texts = fc.array(fc.constantFrom(...odd), { maxLength: 600 }).map((all) => all.join(''));
    const begun = performance.now();
    fc.assert(
      fc.property(texts, (text) => void parseMailbox(text)),
      { numRuns: 1_000 },
    );
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});

describe('a header text', () => {
  it.each(['Order 1042', 'Größe 日本語 👩‍👩‍👧', "it's {fine}; really"])(
    '%s may stand there',
    (text) => {
      expect(isHeaderText(text)).toBe(true);
    },
  );

  it.each(['\r', '\n', '\0', '\t', '\x7f', '\u0085', '\u2028', '\u200b', '\u202e', '\ufeff'])(
    '%j may not',
    (char) => {
      expect(isHeaderText(`a${char}b`)).toBe(false);
    },
  );
});
