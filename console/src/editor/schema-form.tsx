/** A form made from a JSON Schema: one control for each field, nested where the schema nests. */
import { useState } from 'preact/hooks';
import type { Json, JsonObject } from '../../../src/contract/json.ts';
import type { Fault } from '../../../src/contract/problems.ts';
import type { Schema } from '../api/routes.ts';
import { editorWords } from '../strings/workflows.ts';
import { Field } from '../ui/field.tsx';
import { isJsonObject } from '../ui/json-kind.ts';
import { isTemplate, kindOf, readValue, textOf, withField } from './schema.ts';

interface Props {
  readonly schema: Schema;
  readonly value: JsonObject;
  readonly onInput: (value: JsonObject) => void;
  /** By path from this value. */
  readonly faults: readonly Fault[];
  /** Names that complete expressions, by the id of a `datalist`; none where no templates are. */
  readonly path?: string;
}

export function SchemaForm({ schema, value, onInput, faults, path = '' }: Props) {
  const fields = Object.entries(schema.properties ?? {});
  return (
    <>
      {fields.map(([name, inner]) => (
        <SchemaField
          key={name}
          name={name}
          schema={inner}
          isRequired={schema.required?.includes(name) ?? false}
          value={value[name]}
          onInput={(next) => onInput(withField(value, name, next))}
          faults={faults}
          path={path === '' ? name : `${path}.${name}`}
        />
      ))}
    </>
  );
}

interface FieldProps {
  readonly name: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
  readonly value: Json | undefined;
  readonly onInput: (value: Json | undefined) => void;
  readonly faults: readonly Fault[];
  readonly path: string;
}

function SchemaField(props: FieldProps) {
  const { name, schema, isRequired, value, onInput, faults, path } = props;
  const kind = kindOf(schema);
  if (kind === 'object' && !isTemplate(value)) return <Nested {...props} />;
  const own = faults.filter((fault) => fault.path === path || fault.path.startsWith(`${path}.`));
  const fault = own.length === 0 ? undefined : own.map(({ message }) => message).join('; ');
  const label = isRequired ? name : editorWords.optional(name);
  const set = (text: string) => onInput(readValue(text, kind));
  return (
    <Field label={label} hint={schema.description} fault={fault}>
      {(ids) =>
        kind === 'choice' && !isTemplate(value) ? (
          <select
            {...ids}
            value={textOf(value)}
            onChange={({ currentTarget }) => set(currentTarget.value)}
          >
            <option value="" />
            {(schema.enum ?? []).map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        ) : isLong(name, kind, value) ? (
          <textarea
            {...ids}
            class="mono"
            rows={4}
            spellcheck={false}
            value={longText(value)}
            onInput={({ currentTarget }) => set(currentTarget.value)}
          />
        ) : (
          <input
            {...ids}
            class="mono"
            spellcheck={false}
            value={textOf(value)}
            onInput={({ currentTarget }) => set(currentTarget.value)}
          />
        )
      }
    </Field>
  );
}

/** An object by its fields, or by one template that gives all of it. */
function Nested({ name, schema, isRequired, value, onInput, faults, path }: FieldProps) {
  const [isText, setIsText] = useState(false);
  const object = isJsonObject(value) ? value : {};
  if (isText)
    return (
      <SchemaField
        name={name}
        schema={{ description: editorWords.asTemplate }}
        isRequired={isRequired}
        value={value}
        onInput={onInput}
        faults={faults}
        path={path}
      />
    );
  return (
    <fieldset class="nested">
      <legend>{isRequired ? name : editorWords.optional(name)}</legend>
      <SchemaForm
        schema={schema}
        value={object}
        onInput={(next) => onInput(Object.keys(next).length === 0 ? undefined : next)}
        faults={faults}
        path={path}
      />
      <button type="button" class="link small" onClick={() => setIsText(true)}>
        {editorWords.toTemplate}
      </button>
    </fieldset>
  );
}

function isLong(name: string, kind: string, value: Json | undefined): boolean {
  return kind === 'json' || /^(text|html|body)$/.test(name) || textOf(value).length > 80;
}

function longText(value: Json | undefined): string {
  return isJsonObject(value) ? JSON.stringify(value, null, 2) : textOf(value);
}
