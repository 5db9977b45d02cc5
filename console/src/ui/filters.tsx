/** The line of filters above a list: they are in the address, and going back takes them with it. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { common } from '../strings/common.ts';
import type { Option } from './field.tsx';

export function FilterBar({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <search class="filters" aria-label={label}>
      {children}
    </search>
  );
}

export function FilterSelect({
  label,
  value,
  options,
  onChoose,
}: {
  label: string;
  value: string | undefined;
  options: readonly Option[];
  onChoose: (value: string) => void;
}) {
  return (
    <label>
      <span class="unseen">{label}</span>
      <select
        value={value ?? ''}
        class={value === undefined ? '' : 'set'}
        onChange={({ currentTarget }) => onChoose(currentTarget.value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Takes effect by Enter, or when it is left. */
export function FilterText({
  label,
  value,
  onSet,
  isSearch = false,
}: {
  label: string;
  value: string | undefined;
  onSet: (value: string) => void;
  isSearch?: boolean;
}) {
  const [text, setText] = useState(value ?? '');
  const [known, setKnown] = useState(value);
  if (known !== value) {
    setKnown(value);
    setText(value ?? '');
  }
  const take = () => {
    if (text.trim() !== (value ?? '')) onSet(text.trim());
  };
  return (
    <label class={isSearch ? 'filter-search' : ''}>
      <span class="unseen">{label}</span>
      <input
        type={isSearch ? 'search' : 'text'}
        class={value === undefined ? '' : 'set'}
        placeholder={label}
        spellcheck={false}
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onBlur={take}
        onKeyDown={({ key }) => {
          if (key === 'Enter') take();
        }}
      />
    </label>
  );
}

/** A local time in the field, UTC in the address. */
export function FilterTime({
  label,
  value,
  onSet,
}: {
  label: string;
  value: string | undefined;
  onSet: (value: string) => void;
}) {
  return (
    <label class="filter-time">
      <span>{label}</span>
      <input
        type="datetime-local"
        class={value === undefined ? '' : 'set'}
        value={value === undefined ? '' : localText(value)}
        onChange={({ currentTarget }) =>
          onSet(currentTarget.value === '' ? '' : new Date(currentTarget.value).toISOString())
        }
      />
    </label>
  );
}

export function ClearFilters({ isSet, onClear }: { isSet: boolean; onClear: () => void }) {
  return (
    <button type="button" class="link" disabled={!isSet} onClick={onClear}>
      {common.clearFilters}
    </button>
  );
}

/** `2026-11-24T14:02`, as the field takes it. */
function localText(utc: string): string {
  const date = new Date(utc);
  if (Number.isNaN(date.getTime())) return '';
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
