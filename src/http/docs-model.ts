/**
 * As much of an OpenAPI 3.1 document as the page shows of it. Parsing it here keeps the page free of
 * guesses; https://spec.openapis.org/oas/v3.1.1.html
 */
import * as z from 'zod';
import { type Json, json } from '../contract/json.ts';
import { later } from '../contract/later.ts';

/** A JSON Schema (2020-12), as far as it is shown. */
export interface SchemaNode {
  readonly $ref?: string | undefined;
  readonly type?: string | readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly format?: string | undefined;
  readonly pattern?: string | undefined;
  readonly const?: Json | undefined;
  readonly enum?: readonly Json[] | undefined;
  readonly default?: Json | undefined;
  readonly examples?: readonly Json[] | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly minItems?: number | undefined;
  readonly maxItems?: number | undefined;
  readonly properties?: Readonly<Record<string, SchemaNode>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly additionalProperties?: boolean | SchemaNode | undefined;
  readonly items?: SchemaNode | undefined;
  readonly anyOf?: readonly SchemaNode[] | undefined;
  readonly oneOf?: readonly SchemaNode[] | undefined;
  readonly allOf?: readonly SchemaNode[] | undefined;
}

const text = later(() => z.string().optional());
const count = later(() => z.number().optional());
const node: z.ZodType<SchemaNode> = later(() =>
  z.object({
    $ref: text,
    type: z.union([z.string(), z.array(z.string())]).optional(),
    description: text,
    format: text,
    pattern: text,
    const: json.optional(),
    enum: z.array(json).optional(),
    default: json.optional(),
    examples: z.array(json).optional(),
    minimum: count,
    maximum: count,
    minLength: count,
    maxLength: count,
    minItems: count,
    maxItems: count,
    properties: z.record(z.string(), node).optional(),
    required: z.array(z.string()).optional(),
    additionalProperties: z.union([z.boolean(), node]).optional(),
    items: node.optional(),
    anyOf: z.array(node).optional(),
    oneOf: z.array(node).optional(),
    allOf: z.array(node).optional(),
  }),
);

const content = later(() => z.record(z.string(), z.object({ schema: node })));
const parameter = later(() =>
  z.object({
    name: z.string(),
    in: z.string(),
    required: z.boolean().default(false),
    description: text,
    schema: node,
  }),
);

const operation = later(() =>
  z.object({
    operationId: z.string(),
    summary: z.string(),
    description: text,
    tags: z.array(z.string()),
    security: z.array(z.record(z.string(), json)).default([]),
    'x-role': text,
    parameters: z.array(parameter).default([]),
    requestBody: z.object({ content }).optional(),
    responses: z.record(
      z.string(),
      z.object({ description: z.string(), content: content.default({}) }),
    ),
  }),
);

/** One operation, with where it stands in the document. */
export type Operation = z.infer<typeof operation> & {
  readonly method: string;
  readonly path: string;
};

const shownDocument = later(() =>
  z.object({
    info: z.object({ title: z.string(), version: z.string(), description: z.string().default('') }),
    tags: z.array(z.object({ name: z.string() })),
    paths: z.record(z.string(), z.record(z.string(), operation)),
    components: z.object({ schemas: z.record(z.string(), node).default({}) }),
  }),
);

export interface ShownDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly operations: readonly Operation[] }[];
  readonly schemas: Readonly<Record<string, SchemaNode>>;
}

/** The document by tag, operations in its own order. Throws when it is not OpenAPI as we make it. */
export function shownDocumentOf(document: object): ShownDocument {
  const { info, tags, paths, components } = shownDocument.parse(document);
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, found]) => ({ ...found, method, path })),
  );
  return {
    info,
    tags: tags.map(({ name }) => ({
      name,
      operations: operations.filter((found) => found.tags.includes(name)),
    })),
    schemas: components.schemas,
  };
}
