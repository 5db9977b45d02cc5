/** A code editor, loaded when it is first needed; until then, and without it, a plain text field. */
import type { EditorView } from '@codemirror/view';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { CodeOptions, Mark } from './code-setup.ts';

type Setup = typeof import('./code-setup.ts');

let loaded: Setup | null = null;

export function Code({
  label,
  text,
  onInput,
  marks,
  complete,
  isReadOnly = false,
  isOneLine = false,
  cursor = null,
}: {
  label: string;
  text: string;
  onInput: (text: string) => void;
  marks: readonly Mark[];
  complete: CodeOptions['complete'];
  isReadOnly?: boolean;
  isOneLine?: boolean;
  /** Where to go; another object goes there again. */
  cursor?: { readonly at: number } | null;
}) {
  const [setup, setSetup] = useState(loaded);
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef({ onInput, complete });
  latest.current = { onInput, complete };
  useEffect(() => {
    if (setup !== null) return;
    void import('./code-setup.ts').then((module) => {
      loaded = module;
      setSetup(module);
    });
  }, [setup]);
  useEffect(() => {
    if (setup === null || host.current === null) return;
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: 'open' });
    const made = setup.openEditor(root, {
      label,
      text,
      isReadOnly,
      isOneLine,
      onInput: (next) => latest.current.onInput(next),
      complete: (...asked) => latest.current.complete(...asked),
    });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
  }, [setup, isReadOnly]);
  useEffect(() => {
    if (view.current !== null && setup !== null) setup.showText(view.current, text);
  }, [setup, text]);
  useEffect(() => {
    if (view.current !== null && setup !== null) setup.showMarks(view.current, marks);
  }, [setup, marks]);
  useEffect(() => {
    const editor = view.current;
    if (editor === null || cursor === null) return;
    const at = Math.min(cursor.at, editor.state.doc.length);
    editor.dispatch({ selection: { anchor: at }, scrollIntoView: true });
    editor.focus();
  }, [cursor]);
  const look = isOneLine ? 'code one-line' : 'code';
  if (setup === null)
    return (
      <textarea
        class={look}
        aria-label={label}
        value={text}
        readOnly={isReadOnly}
        onInput={({ currentTarget }) => onInput(currentTarget.value)}
      />
    );
  return <div ref={host} class={look} />;
}
