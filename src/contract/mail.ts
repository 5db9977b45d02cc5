/**
 * Mail addresses and header texts, as people write them and as mail takes them. RFC 5322 3.4 without
 * what nobody uses any more (comments, routes, quoted local parts, domain literals), and IDNA for
 * domains. Local parts are ASCII: the services that we send by do not take RFC 6531.
 */
import * as z from 'zod';
import { later } from './later.ts';

/** RFC 5321 4.5.3.1: a path has at most 256 characters, two of them its angle brackets. */
const ADDRESS_LENGTH_MAX = 254;
const LOCAL_PART_LENGTH_MAX = 64;
const DOMAIN_LENGTH_MAX = 253;
const NAME_LENGTH_MAX = 100;
/** With a name that has to be written with escapes, and room for spaces. */
const MAILBOX_LENGTH_MAX = 500;
/** As many as the services take in one mail. */
export const RECIPIENTS_MAX = 50;
/** RFC 5322 2.1.1: a line has at most 998 characters, and `Subject: ` is nine of them. */
export const SUBJECT_LENGTH_MAX = 989;

/** RFC 5322 3.2.3 `dot-atom`. */
const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** What a fault says: forms that are taken. */
export const MAILBOX_FORM = 'ada@example.com, or Ada Reyes <ada@example.com>';
/** What a name may hold without quotes. */
const PLAIN_NAME = /^[^()<>[\]:;@\\,."]+$/;

/** Who mail comes from or goes to. */
export interface Mailbox {
  readonly name: string | null;
  /** With its domain in ASCII, as the DNS has it. */
  readonly address: string;
}

/** `ada@example.com`, `Ada Reyes <ada@example.com>` or `"Reyes, Ada" <ada@example.com>`; else null. */
export function parseMailbox(written: string): Mailbox | null {
  if (written.length > MAILBOX_LENGTH_MAX || !isHeaderText(written)) return null;
  const text = written.trim();
  if (!text.endsWith('>')) return withAddress(null, text);
  const open = text.lastIndexOf('<');
  const name = open < 0 ? null : nameOf(text.slice(0, open).trim());
  return name === null ? null : withAddress(name === '' ? null : name, text.slice(open + 1, -1));
}

/** As a header and the services' APIs take it: a name with special characters is quoted. */
export function mailboxText({ name, address }: Mailbox): string {
  if (name === null) return address;
  const shown = PLAIN_NAME.test(name) ? name : `"${name.replaceAll(/[\\"]/g, String.raw`\$&`)}"`;
  return `${shown} <${address}>`;
}

export function domainOf({ address }: Mailbox): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

/**
 * Whether a text may stand in a header field: no line break, no other control, nothing invisible. The
 * joiners (U+200C, U+200D) may: words of some languages and many emoji need them.
 */
export function isHeaderText(text: string): boolean {
  return !/(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(text);
}

/** An address as the contract takes it. It is stored and shown as it was written. */
export const mailbox = later(() =>
  z
    .string()
    .max(MAILBOX_LENGTH_MAX)
    .refine((text) => parseMailbox(text) !== null, MAILBOX_FORM),
);

function withAddress(name: string | null, written: string): Mailbox | null {
  const at = written.lastIndexOf('@');
  const local = written.slice(0, Math.max(at, 0));
  const domain = asciiDomain(written.slice(at + 1));
  if (local.length > LOCAL_PART_LENGTH_MAX || !LOCAL_PART.test(local) || domain === null)
    return null;
  const address = `${local}@${domain}`;
  return address.length > ADDRESS_LENGTH_MAX ? null : { name, address };
}

/** The name before `<`, without its quotes; empty when there is none, null when it is not one. */
function nameOf(written: string): string | null {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/su.exec(written)?.[1]?.replaceAll(/\\(.)/gsu, '$1');
  const name = (quoted ?? written).trim();
  if (name.length > NAME_LENGTH_MAX) return null;
  return quoted === undefined && /[<>"]/.test(name) ? null : name;
}

/**
 * Letters, digits and marks of any script: nothing that would end a host in a URL. Unicode's categories
 * are looked up where an expression is made, which a start is spared.
 */
function mayBeDomain(written: string): boolean {
  return /^[\p{L}\p{N}\p{M}.\u3002\uFF0E\uFF61-]+$/u.test(written);
}

/** The URL parser knows IDNA (https://url.spec.whatwg.org/#idna) and refuses what cannot be a host. */
function asciiDomain(written: string): string | null {
  if (!mayBeDomain(written) || !URL.canParse(`https://${written}`)) return null;
  const domain = new URL(`https://${written}`).hostname;
  const labels = domain.split('.');
  const isWhole = domain.length <= DOMAIN_LENGTH_MAX && labels.length >= 2;
  const isName = labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '');
  return isWhole && isName ? domain : null;
}
