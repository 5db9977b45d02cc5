/** Times, spans and counts as people here read them. Local first; UTC is at hand in `title`s. */

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', hourCycle: 'h23' });
const DAY_AND_MONTH = new Intl.DateTimeFormat(undefined, { day: '2-digit', month: 'short' });
const WITH_YEAR = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const NUMBER = new Intl.NumberFormat();

/** `14:02:11` today, `24 Nov 14:02:11` this year, with the year otherwise. */
export function timeText(at: string, now = new Date()): string {
  const date = new Date(at);
  const clock = CLOCK.format(date);
  if (date.toDateString() === now.toDateString()) return clock;
  const day = date.getFullYear() === now.getFullYear() ? DAY_AND_MONTH : WITH_YEAR;
  return `${day.format(date)} ${clock}`;
}

/** `2026-11-24 13:02:11.123 UTC` */
export function utcText(at: string): string {
  return `${at.replace('T', ' ').replace('Z', '')} UTC`;
}

/** A span of time in its two largest units: `340 ms`, `2.4 s`, `3 min 12 s`, `5 d 2 h`. */
export function spanText(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < HOUR) return twoUnits(ms, MINUTE, 'min', SECOND, 's');
  if (ms < DAY) return twoUnits(ms, HOUR, 'h', MINUTE, 'min');
  return twoUnits(ms, DAY, 'd', HOUR, 'h');
}

function twoUnits(ms: number, large: number, name: string, small: number, smallName: string) {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${name}${rest === 0 ? '' : ` ${rest} ${smallName}`}`;
}

export function spanBetween(from: string, to: string): string {
  return spanText(Math.max(0, Date.parse(to) - Date.parse(from)));
}

export function countText(count: number): string {
  return NUMBER.format(count);
}

/** The end of an id, by which people tell ids apart: they begin with a time. */
export function shortId(id: string): string {
  const [prefix = '', rest = ''] = id.split(/_(.*)/s);
  return rest === '' ? id : `${prefix}_…${rest.slice(-8)}`;
}

/** Text of others as it is shown: nothing in it is invisible or turns text around. */
export function visible(text: string): string {
  return text.replaceAll(/(?![\u200C\u200D])[\p{Cc}\p{Cf}\u2028\u2029]/gu, (char) =>
    char === '\n' || char === '\t'
      ? char
      : `\\u{${(char.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`,
  );
}
