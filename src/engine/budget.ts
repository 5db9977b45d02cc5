/**
 * What one evaluation may cost. cel-js has no budget of its own, so every loop turn, every operator
 * on a large value and every swallowed error pays here (cf. the CEL cost limits of Kubernetes).
 * One meter per isolate is enough: an evaluation is synchronous and never calls another one.
 * Running out cannot be hidden by `||` or `exists`: the meter stays empty and is read at the end.
 */

/** Steps per evaluation, or per rendered template. One step is about 50 ns of work. */
const EVALUATION_STEPS_MAX = 50_000;
/** What conditions that share their work get at least, each: enough for anything but loops. */
const SHARED_STEPS_MIN = 1_000;
/** The largest result, as bytes of JSON: the size that one event may have. */
const RESULT_BYTES_MAX = 256 * 1_024;
/** Making, throwing and formatting an error costs microseconds, and `||` may swallow it unseen. */
const ERROR_STEPS = 200;
const CHARACTERS_PER_STEP = 64;
/** A number counts as one, and one more in a list, but takes up to 25 bytes. */
const BYTES_PER_COUNT_MAX = 16;

/** A stretch of the source text, in UTF-16 offsets. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/** A fault whose reason is already written for a person. */
export class CelFault extends Error {
  readonly place: Place | null;
  constructor(reason: string, place: Place | null) {
    super(reason);
    this.place = place;
  }
}

/** Steps that several evaluations share, so that many costly ones are no more than a few. */
export interface SharedWork {
  steps: number;
}

interface Meter {
  steps: number;
  /** What it was filled with. */
  allowed: number;
  bytes: number;
  /** Where it ran out. */
  emptiedAt: Place | null;
  firstSwallowed: unknown;
}
const meter: Meter = {
  steps: 0,
  allowed: 0,
  bytes: 0,
  emptiedAt: null,
  firstSwallowed: undefined,
};

/** Fills the meter. Call it once per evaluation, and once for a whole template. */
export function startBudget(shared?: SharedWork): void {
  const left = Math.max(shared?.steps ?? EVALUATION_STEPS_MAX, SHARED_STEPS_MIN);
  meter.allowed = Math.min(left, EVALUATION_STEPS_MAX);
  meter.steps = meter.allowed;
  meter.bytes = RESULT_BYTES_MAX;
  meter.emptiedAt = null;
  meter.firstSwallowed = undefined;
}

/** Takes what the evaluation has used from what it shares with others. */
export function settleWith(shared: SharedWork): void {
  shared.steps -= meter.allowed - Math.max(meter.steps, 0);
}

/** Takes steps; false once there are none left. */
export function spend(steps: number, place: Place): boolean {
  meter.steps -= steps;
  if (meter.steps >= 0) return true;
  meter.emptiedAt ??= place;
  return false;
}

/** Takes steps, or throws when there are none left. */
export function pay(steps: number, place: Place): void {
  if (!spend(steps, place)) throw costFault();
}

/** An error that `&&`, `||`, `all` or `exists` may swallow. The first one explains an empty meter. */
export function payForError(error: unknown, place: Place): void {
  meter.firstSwallowed ??= error;
  spend(ERROR_STEPS, place);
}

/** Why the evaluation has to fail although it came to an end; null while the budget holds. */
export function overrun(): unknown {
  if (meter.steps >= 0) return null;
  return meter.firstSwallowed ?? costFault();
}

function costFault(): CelFault {
  const limit = `more than ${meter.allowed} steps`;
  const reason = `takes too much work: ${limit}; use shorter lists or fewer loops`;
  return new CelFault(reason, meter.emptiedAt);
}

/** What it costs to read or copy this many characters. */
export function textSteps(characters: number): number {
  return Math.ceil(characters / CHARACTERS_PER_STEP);
}

/** Takes room for a part of the result: at least that many bytes of JSON. Throws when it is full. */
export function takeRoom(bytes: number): void {
  meter.bytes -= bytes;
  if (meter.bytes < 0) throw tooLarge();
}

/**
 * Counting was by characters; where escapes, UTF-8 and long numbers could matter, this counts bytes.
 * `uncounted` is what the result may hold besides, in characters.
 */
export function assertFits(result: unknown, uncounted = 0): void {
  const counted = RESULT_BYTES_MAX - meter.bytes + uncounted;
  if (counted * BYTES_PER_COUNT_MAX <= RESULT_BYTES_MAX) return;
  if (new TextEncoder().encode(JSON.stringify(result)).length > RESULT_BYTES_MAX) throw tooLarge();
}

function tooLarge(): CelFault {
  return new CelFault('gives a result larger than 256 KiB', null);
}
