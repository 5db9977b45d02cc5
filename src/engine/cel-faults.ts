/**
 * Errors of cel-js in words that the author of a workflow can act on, with their place in the text.
 * A place is shown as line:column, both from 1, and given as UTF-16 offsets for editors.
 */
import { EvaluationError, ParseError, TypeError as TypingError } from '@marcbachmann/cel-js';
import { CelFault, type Place } from './budget.ts';
import { calledName, isCelNode, nodesIn, sourceOf } from './cel-nodes.ts';

/** A fault of a source text: `message` ends with the place, `start` and `end` are offsets. */
export interface ExpressionFault {
  message: string;
  start: number;
  end: number;
}

/** A fault that does not yet know which text its source is a part of. */
export interface PlacedReason {
  readonly reason: string;
  readonly place: Place | null;
}

const REASON_MAX = 400;

/** The library's token names, as far as people would not guess them. */
const TOKENS: Readonly<Record<string, string>> = {
  EOF: 'the end',
  IDENTIFIER: 'a name',
  LPAREN: '"("',
  RPAREN: '")"',
  LBRACKET: '"["',
  RBRACKET: '"]"',
  LBRACE: '"{"',
  RBRACE: '"}"',
  COLON: '":"',
  COMMA: '","',
  DOT: '"."',
};

/** Any error that parsing, checking or running threw. */
export function reasonOf(error: unknown): PlacedReason {
  if (error instanceof CelFault) return { reason: clip(error.message), place: error.place };
  if (isLibraryError(error)) {
    return { reason: clip(describe(error)), place: error.range ?? null };
  }
  const cause = error instanceof Error ? error.message : String(error);
  return { reason: clip(`cannot be evaluated: ${cause}`), place: null };
}

/** Puts a reason at its place in `text`, where the expression's source begins at `offset`. */
export function locate(
  { reason, place }: PlacedReason,
  text: string,
  offset: number,
  length: number,
): ExpressionFault {
  const start = offset + (place?.start ?? 0);
  const end = offset + (place?.end ?? length);
  return { message: `${reason} (${lineAndColumn(text, start)})`, start, end };
}

/** 'line:column' of an offset, both from 1. */
export function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return `${line}:${offset - before.lastIndexOf('\n')}`;
}

type LibraryError = ParseError | EvaluationError | TypingError;

function isLibraryError(error: unknown): error is LibraryError {
  return (
    error instanceof ParseError || error instanceof EvaluationError || error instanceof TypingError
  );
}

function describe(error: LibraryError): string {
  switch (error.code) {
    case 'no_matching_overload':
      return describeCall(error);
    case 'no_such_overload':
      return `cannot compute ${plainTypes(error.summary.replace('no such overload: ', ''))}`;
    case 'no_such_key':
      return `${subject(error)} has no field "${error.summary.replace('No such key: ', '')}"`;
    case 'index_out_of_bounds':
      return `${subject(error)}: ${error.summary.replace('No such key: ', '')}`;
    case 'unsupported_type':
      return 'meets an object with a field named "constructor", which cannot be read here';
    case 'limit_exceeded':
      return `is too large: ${decapitalize(error.summary)}`;
    case 'unexpected_token':
    case 'expected_token':
      return decapitalize(error.summary).replace(/\b[A-Z]{2,}\b/g, (name) => TOKENS[name] ?? name);
    default:
      return decapitalize(error.summary);
  }
}

/** The text that a field or an item was looked up in. */
function subject(error: LibraryError): string {
  const object = isCelNode(error.node) ? nodesIn(error.node.args)[0] : undefined;
  return object === undefined ? 'the value' : sourceOf(object);
}

function describeCall(error: LibraryError): string {
  const name = isCelNode(error.node) ? calledName(error.node) : null;
  const given = error.summary.replace("found no matching overload for '", '').replace(/'$/, '');
  return `${name ?? 'the function'}() does not take what it is given: ${plainTypes(given)}`;
}

/** The library's type names in the words of JSON. */
function plainTypes(text: string): string {
  return text
    .replace(/dyn<([\w.]+)>/g, '$1')
    .replace(/\b(?:double|int|uint)\b(?!\()/g, 'number')
    .replace(/google\.protobuf\.(\w+)/g, (_match, name: string) => name.toLowerCase())
    .replace(/\bbool\b(?!\()/g, 'true or false')
    .replace(/\bdyn\b(?!\()/g, 'value')
    .replace(/\bmap\b(?!\()/g, 'object');
}

function decapitalize(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function clip(text: string): string {
  return text.length <= REASON_MAX ? text : `${text.slice(0, REASON_MAX - 1)}…`;
}
