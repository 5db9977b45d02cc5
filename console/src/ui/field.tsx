/** A labelled control, with what is wrong with it beside it. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

export function Field({
  label,
  hint,
  fault,
  children,
}: {
  label: string;
  hint?: ComponentChildren;
  fault?: string | undefined;
  children: (ids: {
    id: string;
    'aria-describedby': string | undefined;
    'aria-invalid': boolean;
  }) => ComponentChildren;
}) {
  const id = useId();
  const told = hint !== undefined || fault !== undefined;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        id,
        'aria-describedby': told ? `${id}-told` : undefined,
        'aria-invalid': fault !== undefined,
      })}
      {told ? (
        <div id={`${id}-told`} class={fault === undefined ? 'hint' : 'fault'}>
          {fault ?? hint}
        </div>
      ) : null}
    </div>
  );
}

/** One line of text. */
export function TextField({
  label,
  value,
  onInput,
  hint,
  fault,
  ...more
}: {
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: ComponentChildren;
  fault?: string | undefined;
  type?: 'text' | 'email' | 'password' | 'number' | 'datetime-local' | 'url' | 'search';
  required?: boolean;
  autoFocus?: boolean;
  class?: string;
  autocomplete?: string;
  placeholder?: string;
  spellcheck?: boolean;
  list?: string;
}) {
  return (
    <Field label={label} hint={hint} fault={fault}>
      {(ids) => (
        <input
          type="text"
          {...more}
          {...ids}
          value={value}
          onInput={({ currentTarget }) => onInput(currentTarget.value)}
        />
      )}
    </Field>
  );
}

export interface Option {
  readonly value: string;
  readonly label: string;
}

export function SelectField({
  label,
  value,
  options,
  onInput,
  hint,
}: {
  label: string;
  value: string;
  options: readonly Option[];
  onInput: (value: string) => void;
  hint?: ComponentChildren;
}) {
  return (
    <Field label={label} hint={hint}>
      {(ids) => (
        <select
          {...ids}
          value={value}
          onChange={({ currentTarget }) => onInput(currentTarget.value)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function CheckField({
  label,
  checked,
  onInput,
}: {
  label: string;
  checked: boolean;
  onInput: (checked: boolean) => void;
}) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={checked}
        onChange={({ currentTarget }) => onInput(currentTarget.checked)}
      />
      {label}
    </label>
  );
}
