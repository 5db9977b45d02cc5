/** What can be written in an expression here: fields of the event, outputs of steps, functions. Pure. */
import type { Schema } from '../api/routes.ts';
import { editorWords } from '../strings/workflows.ts';

export interface Completion {
  readonly label: string;
  readonly detail: string;
}

const EVENT_FIELDS = ['id', 'type', 'source', 'time', 'subject', 'correlationid'];
const RUN_FIELDS = ['id', 'requestId', 'correlationId'];
const TENANT_FIELDS = ['id', 'name'];
/** CEL's own, as far as the engine knows them: https://github.com/google/cel-spec/blob/master/doc/langdef.md */
const FUNCTIONS = [
  ['has(', 'whether a field is there'],
  ['size(', 'length of a text, a list or an object'],
  ['string(', 'as text'],
  ['int(', 'as a whole number'],
  ['double(', 'as a number'],
  ['.startsWith(', 'text begins with'],
  ['.endsWith(', 'text ends with'],
  ['.contains(', 'text holds'],
  ['.matches(', 'text is like a pattern'],
  ['.exists(', 'some of a list: items.exists(i, i.price > 0)'],
  ['.all(', 'all of a list'],
  ['.filter(', 'those of a list'],
  ['.map(', 'each of a list'],
] as const;

/** @param before ids of the steps whose outputs can be named; none in a trigger's condition */
export function completionsFor(event: Schema | undefined, before: readonly string[]): Completion[] {
  const { completions } = editorWords;
  return [
    ...EVENT_FIELDS.map((name) => ({ label: `event.${name}`, detail: completions.event })),
    ...fieldsOf(event, 'event.data'),
    ...before.map((id) => ({ label: `steps.${id}.output`, detail: completions.steps })),
    ...(before.length === 0
      ? []
      : RUN_FIELDS.map((name) => ({ label: `run.${name}`, detail: completions.run }))),
    ...TENANT_FIELDS.map((name) => ({ label: `tenant.${name}`, detail: completions.tenant })),
    ...FUNCTIONS.map(([label, detail]) => ({ label, detail })),
  ];
}

function fieldsOf(schema: Schema | undefined, path: string): Completion[] {
  return Object.entries(schema?.properties ?? {}).flatMap(([name, inner]) => {
    const own = `${path}.${name}`;
    return [{ label: own, detail: inner.description ?? inner.type ?? '' }, ...fieldsOf(inner, own)];
  });
}

/** The word before the cursor that a completion would replace. */
export const WORD_BEFORE = /[A-Za-z_.][\w.]*$/;
