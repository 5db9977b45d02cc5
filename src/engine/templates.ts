/**
 * Inputs of actions with `{{ }}` in their strings. A string that is one hole keeps the value's type;
 * otherwise results become text: strings and numbers plainly, null as nothing, lists and objects as
 * canonical JSON (RFC 8785). Keys are never templates, and what a hole gives is never expanded again.
 * In a field that is HTML the markup is the author's, and values are text: they are escaped, always.
 */
import { canonicalJson, isJsonObject, type Json, type JsonObject } from '../contract/json.ts';
import { escaped } from '../html.ts';
import { assertFits, startBudget, takeRoom } from './budget.ts';
import type { Names } from './cel.ts';
import { type ExpressionFault, lineAndColumn, locate, reasonOf } from './cel-faults.ts';
import { compileProgram, type Program } from './cel-program.ts';
import { splitTemplate } from './template-text.ts';

export interface Template {
  /** How many holes there are: with none, rendering gives the value itself. */
  readonly expressions: number;
  /** Ids of the steps that it names as `steps.<id>`. */
  readonly steps: readonly string[];
  /** At most 256 KiB of JSON, on one budget for all holes. `path` is the string that failed. */
  render(scope: JsonObject): Rendered;
}

type Rendered = { ok: true; value: Json } | { ok: false; path: string; error: ExpressionFault };

/** A fault at save time; `path` is dotted, such as `body.order.0`, and empty for the value itself. */
export interface TemplateFault {
  path: string;
  message: string;
}

/** Expressions in one template. All of them run on one budget. */
const EXPRESSIONS_MAX = 200;

interface Hole {
  readonly program: Program;
  readonly source: string;
  readonly start: number;
}
type Render = (scope: JsonObject) => Json;

/** Carries the path of the string that failed out of the nested values. */
class RenderFault extends Error {
  readonly path: string;
  readonly fault: ExpressionFault;
  constructor(path: string, fault: ExpressionFault) {
    super(fault.message);
    this.path = path;
    this.fault = fault;
  }
}

/**
 * Compiles a whole `with` object (or any JSON). All faults are reported, each with its path;
 * their places are relative to the string they are in. `markup` names the fields that are HTML.
 */
export function compileTemplate(
  value: Json,
  names: Names,
  knownSteps?: readonly string[],
  markup: readonly string[] = [],
): { ok: true; template: Template } | { ok: false; faults: TemplateFault[] } {
  const compiler = new Compiler(names, knownSteps, markup);
  const render = compiler.compile(value, []);
  if (compiler.holes.length > EXPRESSIONS_MAX) {
    compiler.faults.push({ path: '', message: `has more than ${EXPRESSIONS_MAX} expressions` });
  }
  if (compiler.faults.length > 0) return { ok: false, faults: compiler.faults };
  const size = JSON.stringify(value).length;
  return { ok: true, template: templateOf(render, compiler.holes, size) };
}

function templateOf(render: Render, holes: readonly Hole[], size: number): Template {
  const steps = [...new Set(holes.flatMap(({ program }) => program.steps))];
  return {
    expressions: holes.length,
    steps,
    render: (scope) => renderAll(render, scope, holes.length === 0 ? null : size),
  };
}

/** `size` is the template's own in characters; null when it has no holes. */
function renderAll(render: Render, scope: JsonObject, size: number | null): Rendered {
  startBudget();
  try {
    const value = render(scope);
    if (size !== null) assertFits(value, size);
    return { ok: true, value };
  } catch (error) {
    if (error instanceof RenderFault) return { ok: false, path: error.path, error: error.fault };
    const { reason } = reasonOf(error);
    return { ok: false, path: '', error: { message: reason, start: 0, end: 0 } };
  }
}

class Compiler {
  readonly holes: Hole[] = [];
  readonly faults: TemplateFault[] = [];
  readonly #names: Names;
  readonly #knownSteps: readonly string[] | undefined;
  readonly #markup: readonly string[];

  constructor(names: Names, knownSteps: readonly string[] | undefined, markup: readonly string[]) {
    this.#names = names;
    this.#knownSteps = knownSteps;
    this.#markup = markup;
  }

  /** How to render the value. Parts without a hole are given as they are. */
  compile(value: Json, path: readonly string[]): Render {
    const before = this.holes.length;
    const render = this.#render(value, path);
    return this.holes.length === before ? () => value : render;
  }

  #render(value: Json, path: readonly string[]): Render {
    if (typeof value === 'string') return this.#text(value, path);
    if (isJsonObject(value)) return this.#object(value, path);
    return Array.isArray(value) ? this.#list(value, path) : () => value;
  }

  #list(list: readonly Json[], path: readonly string[]): Render {
    const items = list.map((item, index) => this.compile(item, [...path, String(index)]));
    return (scope) => items.map((render) => render(scope));
  }

  #object(object: JsonObject, path: readonly string[]): Render {
    const fields = Object.entries(object).map(([name, value]) => {
      if (name === '__proto__') this.#fault(path, '"__proto__" cannot be a field');
      return [name, this.compile(value, [...path, name])] as const;
    });
    return (scope) => Object.fromEntries(fields.map(([name, render]) => [name, render(scope)]));
  }

  #text(text: string, path: readonly string[]): Render {
    const split = splitTemplate(text);
    if (!split.ok) {
      this.#fault(path, `"{{" is never closed (${lineAndColumn(text, split.at)})`);
      return () => text;
    }
    const parts = split.parts.map((part) =>
      part.kind === 'text' ? part.text : this.#hole(text, part.source, part.start, path),
    );
    const [only] = parts;
    const isMarkup = this.#markup.includes(path.join('.'));
    if (parts.length === 1 && typeof only === 'function' && !isMarkup) return only;
    const textOf = isMarkup ? escapedText : plainText;
    return (scope) => parts.map((part) => partText(part, scope, text, path, textOf)).join('');
  }

  #hole(text: string, source: string, start: number, path: readonly string[]): Render {
    const compiled = compileProgram(source, this.#names, this.#knownSteps);
    if (!compiled.ok) {
      this.#fault(path, locate(compiled.fault, text, start, source.length).message);
      return () => null;
    }
    const hole = { program: compiled.program, source, start };
    this.holes.push(hole);
    return (scope) => fill(hole, scope, text, path);
  }

  #fault(path: readonly string[], message: string): void {
    this.faults.push({ path: path.join('.'), message });
  }
}

function fill(hole: Hole, scope: JsonObject, text: string, path: readonly string[]): Json {
  const ran = hole.program.run(scope);
  if (ran.ok) return ran.value;
  throw new RenderFault(path.join('.'), locate(ran.fault, text, hole.start, hole.source.length));
}

function partText(
  part: string | Render,
  scope: JsonObject,
  text: string,
  path: readonly string[],
  textOf: (value: Json) => string,
): string {
  try {
    return typeof part === 'string' ? withRoom(part) : textOf(part(scope));
  } catch (error) {
    if (error instanceof RenderFault) throw error;
    throw new RenderFault(path.join('.'), locate(reasonOf(error), text, 0, text.length));
  }
}

function withRoom(text: string): string {
  takeRoom(text.length);
  return text;
}

/** A value inside of a longer text. Throws for strings that RFC 8785 cannot write. */
function plainText(value: Json): string {
  if (value === null) return '';
  return typeof value === 'object' ? canonicalJson(value) : String(value);
}

/** The same between tags, and in attributes that have quotes around them. */
function escapedText(value: Json): string {
  const text = plainText(value);
  const safe = escaped(text);
  takeRoom(safe.length - text.length);
  return safe;
}
