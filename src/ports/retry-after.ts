/** When the other side would like to be asked again: the Retry-After header (RFC 9110 10.2.3). */

/** A longer wish is cut to this. */
const RETRY_AFTER_MAX_MS = 86_400_000;
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Seconds or an IMF-fixdate, as milliseconds from `now` (since 1970), within a day; else null. */
export function retryAfterMs(value: string | null | undefined, now: number): number | null {
  const text = value?.trim() ?? '';
  const wish = /^\d+$/.test(text) ? Number(text) * 1_000 : dateMs(text) - now;
  return Number.isNaN(wish) ? null : Math.min(Math.max(wish, 0), RETRY_AFTER_MAX_MS);
}

/** Date.parse takes far more than a date (a bare `-5`, say), hence the form is checked first. */
function dateMs(text: string): number {
  return HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
}
