/**
 * What a form may ask for a value, told by a JSON Schema; and what somebody typed, as a value. In a
 * workflow any value may be a template, a text with `{{ }}`, whatever the schema says of its type.
 */

import type { Json } from '../../../src/contract/json.ts';
import type { Schema } from '../api/routes.ts';
import { isJsonObject } from '../ui/json-kind.ts';

export type Kind = 'text' | 'choice' | 'switch' | 'number' | 'object' | 'json';

export function kindOf(schema: Schema): Kind {
  if (schema.enum !== undefined) return 'choice';
  if (schema.type === 'string') return 'text';
  if (schema.type === 'boolean') return 'switch';
  if (schema.type === 'integer' || schema.type === 'number') return 'number';
  if (schema.type === 'object' && schema.properties !== undefined) return 'object';
  return 'json';
}

export function isTemplate(value: Json | undefined): value is string {
  return typeof value === 'string' && value.includes('{{');
}

/** A value as one line of text. */
export function textOf(value: Json | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What was typed, as the value that the schema means; undefined for nothing. */
export function readValue(text: string, kind: Kind): Json | undefined {
  if (text === '') return undefined;
  if (kind === 'text' || kind === 'choice' || isTemplate(text)) return text;
  try {
    const value: Json = JSON.parse(text);
    return kind === 'number' && typeof value !== 'number' ? text : value;
  } catch {
    return text;
  }
}

/** The object with one field changed, where it was; a field without a value goes. */
export function withField(
  object: Json | undefined,
  name: string,
  value: Json | undefined,
): { readonly [key: string]: Json } {
  const before = isJsonObject(object) ? object : {};
  if (value !== undefined) return { ...before, [name]: value };
  const { [name]: _former, ...rest } = before;
  return rest;
}
