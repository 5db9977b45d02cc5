/** JSON Schemas (2020-12) as rows to read: one for each field, nested fields by their dotted name. */
import type { Json } from '../contract/json.ts';
import { type Html, html, joined, prose } from '../html.ts';
import type { SchemaNode } from './docs-model.ts';

const REF = '#/components/schemas/';
/** A longer pattern says less than the description beside it. */
const PATTERN_SHOWN_MAX = 60;

/** Fields of a body or an answer; a union has one table for each of its forms. */
export function schemaTables(schema: SchemaNode): readonly Html[] {
  const forms = schema.oneOf ?? schema.anyOf;
  if (forms?.some((form) => form.properties !== undefined))
    return forms.map((form) => html`<h4 class="form">${formName(form)}</h4>${fieldTable(form)}`);
  const hasFields = (innerObject(schema)?.properties ?? null) !== null;
  return [hasFields ? fieldTable(schema) : html`<p>${typeOf(schema)}${notesOf(schema)}</p>`];
}

/** A schema's name with its anchor, or its form in a few words. */
export function typeOf(schema: SchemaNode): Html {
  const { $ref, type, items, allOf } = schema;
  if ($ref !== undefined) {
    const name = $ref.slice(REF.length);
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum !== undefined) return html`${joined(schema.enum.map(literal), ' | ')}`;
  const forms = schema.anyOf ?? schema.oneOf ?? allOf;
  if (forms !== undefined) return html`${joined(forms.map(typeOf), ' or ')}`;
  if (items !== undefined) return html`list of ${typeOf(items)}`;
  if (typeof schema.additionalProperties === 'object' && schema.properties === undefined)
    return mapOf(schema.additionalProperties);
  if (type === undefined) return html`any JSON`;
  return html`${typeof type === 'string' ? type : type.join(' or ')}`;
}

/** One row: a parameter or a field. `place` says where it goes, for parameters. */
export function fieldRow(
  name: string,
  schema: SchemaNode,
  required: boolean,
  place: string | null,
): Html {
  const where = place === null ? null : html` <small>${place}</small>`;
  return html`<tr>
    <th scope="row"><code>${name}</code>${where}</th>
    <td class="type">${typeOf(schema)}${required ? null : html` <small>optional</small>`}</td>
    <td>${notesOf(schema)}</td></tr>`;
}

function fieldTable(schema: SchemaNode): Html {
  return html`<table><tbody>${fieldRows(schema, '')}</tbody></table>`;
}

function fieldRows(schema: SchemaNode, prefix: string): readonly Html[] {
  const { properties = {}, required = [] } = innerObject(schema) ?? {};
  return Object.entries(properties).flatMap(([key, field]) => {
    const name = `${prefix}${key}`;
    const row = fieldRow(name, field, required.includes(key), null);
    return [row, ...fieldRows(field, `${name}${isList(field) ? '[]' : ''}.`)];
  });
}

/** The object whose fields a schema shows in place: itself, its items', or the one beside null. */
function innerObject(schema: SchemaNode): SchemaNode | null {
  if (schema.properties !== undefined) return schema;
  if (schema.items !== undefined) return innerObject(schema.items);
  const forms = (schema.anyOf ?? []).filter(({ type }) => type !== 'null');
  return forms.length === 1 && forms[0] !== undefined ? innerObject(forms[0]) : null;
}

function isList(schema: SchemaNode): boolean {
  return schema.items !== undefined;
}

function mapOf(inner: SchemaNode): Html {
  return Object.keys(inner).length === 0 ? html`object` : html`map of name to ${typeOf(inner)}`;
}

function notesOf(schema: SchemaNode): Html {
  const { description, format, pattern, examples } = schema;
  const shown =
    pattern !== undefined && pattern.length <= PATTERN_SHOWN_MAX && format === undefined;
  const notes = [
    ...(description === undefined ? [] : [prose(description)]),
    ...limitsOf(schema).map((limit) => html`${limit}`),
    ...(format === undefined ? [] : [html`${format}`]),
    ...(shown ? [html`<code>${pattern}</code>`] : []),
    ...(schema.default === undefined ? [] : [html`default ${literal(schema.default)}`]),
    ...(examples === undefined ? [] : [html`such as ${joined(examples.map(literal), ', ')}`]),
  ];
  return html`${joined(notes, '; ')}`;
}

function limitsOf(schema: SchemaNode): string[] {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems } = schema;
  return [
    ...rangeOf(minimum, maximum, ''),
    ...rangeOf(minLength, maxLength, ' characters'),
    ...rangeOf(minItems, maxItems, ' items'),
  ];
}

/** The bounds of every whole number that JSON can hold tell nothing. */
function rangeOf(low: number | undefined, high: number | undefined, unit: string): string[] {
  const from = low === undefined || Math.abs(low) === Number.MAX_SAFE_INTEGER ? null : low;
  const to = high === undefined || Math.abs(high) === Number.MAX_SAFE_INTEGER ? null : high;
  if (from !== null && to !== null) return [`${from} to ${to}${unit}`];
  if (to !== null) return [`at most ${to}${unit}`];
  return from === null ? [] : [`at least ${from}${unit}`];
}

function literal(value: Json): Html {
  return html`<code>${typeof value === 'string' ? value : JSON.stringify(value)}</code>`;
}

/** A form is told from the others by a constant field, or by what it has to hold. */
function formName({ properties = {}, required = [] }: SchemaNode): string {
  const constant = Object.entries(properties).find(([, field]) => field.const !== undefined);
  if (constant === undefined) return `with ${required.join(' and ')}`;
  return `${constant[0]}: ${String(constant[1].const)}`;
}
