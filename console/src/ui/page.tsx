/** The head of a page: what it is, and what can be done here. */
import type { ComponentChildren } from 'preact';

export function PageHead({
  title,
  above,
  children,
}: {
  title: ComponentChildren;
  above?: ComponentChildren;
  children?: ComponentChildren;
}) {
  return (
    <header class="page-head">
      {above === undefined ? null : <p class="above">{above}</p>}
      <div class="page-line">
        <h1>{title}</h1>
        <div class="page-actions">{children}</div>
      </div>
    </header>
  );
}

/** Names with their values, the value copyable where that helps. */
export function Facts({ facts }: { facts: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** One of a few views of the same things. */
export function Choice<Value extends string>({
  label,
  value,
  options,
  onChoose,
}: {
  label: string;
  value: Value;
  options: readonly { value: Value; label: string }[];
  onChoose: (value: Value) => void;
}) {
  return (
    <fieldset class="choice">
      <legend class="unseen">{label}</legend>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          onClick={() => onChoose(option.value)}
        >
          {option.label}
        </button>
      ))}
    </fieldset>
  );
}
