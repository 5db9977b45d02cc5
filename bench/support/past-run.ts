/** One run of a made-up history: its ids and times, and what they make of the model's rows. */

/** A run that the product has made itself. */
export interface Model {
  /** Its own, its event's and its sender's: whichever names it. */
  readonly ids: readonly string[];
  readonly round: string;
  readonly workflowIds: readonly string[];
}

export interface PastRun {
  readonly number: number;
  readonly at: string;
  /** Like UUIDv7 (RFC 9562), so that ids sort by time. */
  readonly hex: string;
}

const PREFIXED = /^([a-z]+_)[0-9a-f]{32}$/;
/** One in so many. */
const FAILED = 100;
const OTHER_TYPE = 10;
const OTHER_WORKFLOW = 3;

export function pastRun(number: number, begun: number, everyMs: number): PastRun {
  const at = Math.floor(begun + number * everyMs);
  const time = at.toString(16).padStart(12, '0');
  const hex = `${time}70008${number.toString(16).padStart(15, '0')}`;
  return { number, at: new Date(at).toISOString(), hex };
}

/** What stands in a text column of the past run's row instead of the model's value. */
export function rewritten(
  table: string,
  column: string,
  value: string,
  model: Model,
  past: PastRun,
): string {
  if (table === 'runs') {
    const varied = variedRun(column, model, past);
    if (varied !== null) return varied;
  }
  if (/(_at|^at|^time)$/.test(column)) return past.at;
  if (value === model.round) return `past-${past.number}`;
  const prefix = PREFIXED.exec(value)?.[1];
  if (column === 'id' && prefix !== undefined) return `${prefix}${past.hex}`;
  return model.ids.reduce((text, id) => text.replaceAll(id, newIdFor(id, past)), value);
}

/** So that every filter of the run log has something to find and something to leave out. */
function variedRun(column: string, { workflowIds }: Model, { number }: PastRun): string | null {
  if (column === 'status') return number % FAILED === 0 ? 'failed' : 'succeeded';
  if (column === 'event_type' && number % OTHER_TYPE === 0) return 'custom.other';
  if (column === 'workflow_id' && number % OTHER_WORKFLOW === 0) return workflowIds[1] ?? null;
  return null;
}

function newIdFor(id: string, { number, hex }: PastRun): string {
  const prefix = PREFIXED.exec(id)?.[1];
  return prefix === undefined ? `past-${number}` : `${prefix}${hex}`;
}
