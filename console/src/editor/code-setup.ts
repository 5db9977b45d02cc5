/**
 * The code editor, as far as both of its uses go: a definition, and one expression. It lives in a
 * shadow root, where its styles are adopted sheets: the console's policy lets no style element in.
 */
import { autocompletion, type CompletionContext, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  syntaxHighlighting,
} from '@codemirror/language';
import { type Diagnostic, lintGutter, setDiagnostics } from '@codemirror/lint';
import { EditorState, type Extension, Transaction } from '@codemirror/state';
import { drawSelection, EditorView, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { type Completion, WORD_BEFORE } from './completions.ts';

export interface Mark {
  readonly from: number;
  readonly to: number;
  readonly message: string;
}

export interface CodeOptions {
  readonly label: string;
  readonly text: string;
  readonly isReadOnly: boolean;
  readonly isOneLine: boolean;
  readonly onInput: (text: string) => void;
  /** What can be written at a place of a text. */
  readonly complete: (text: string, at: number) => readonly Completion[];
}

export function openEditor(root: ShadowRoot, options: CodeOptions): EditorView {
  const { label, text, isReadOnly, isOneLine, onInput, complete } = options;
  const extensions: Extension[] = [
    history(),
    drawSelection(),
    bracketMatching(),
    indentOnInput(),
    keymap.of([...defaultKeymap, ...historyKeymap, ...completionKeymap, ...foldKeymap]),
    autocompletion({ override: [(context) => completionAt(context, complete)], icons: false }),
    EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
    EditorView.updateListener.of(({ docChanged, state, transactions }) => {
      // What was only shown (showText) is known where it came from: told again, two editors of one
      // text would answer each other for ever.
      const isShown = transactions.some((tr) => tr.annotation(Transaction.remote) === true);
      if (docChanged && !isShown) onInput(state.doc.toString());
    }),
    EditorState.readOnly.of(isReadOnly),
    EditorState.tabSize.of(2),
    LOOK,
    ...(isOneLine
      ? [
          EditorState.transactionFilter.of((tr) => (tr.newDoc.lines > 1 ? [] : tr)),
          EditorView.lineWrapping,
        ]
      : [
          json(),
          lineNumbers(),
          foldGutter(),
          lintGutter(),
          syntaxHighlighting(COLOURS),
          // Escape and then Tab leaves the editor, as with any that takes Tab for itself.
          keymap.of([indentWithTab]),
        ]),
  ];
  return new EditorView({
    root,
    parent: root,
    state: EditorState.create({ doc: text, extensions }),
  });
}

/** Puts another text in, as far as it differs, so that the cursor stays where it is. */
export function showText(view: EditorView, text: string): void {
  const now = view.state.doc.toString();
  if (now === text) return;
  let from = 0;
  while (from < now.length && now[from] === text[from]) from += 1;
  let [end, newEnd] = [now.length, text.length];
  while (end > from && newEnd > from && now[end - 1] === text[newEnd - 1]) {
    end -= 1;
    newEnd -= 1;
  }
  view.dispatch({
    changes: { from, to: end, insert: text.slice(from, newEnd) },
    annotations: Transaction.remote.of(true),
  });
}

export function showMarks(view: EditorView, marks: readonly Mark[]): void {
  const { length } = view.state.doc;
  const diagnostics = marks.map(
    ({ from, to, message }): Diagnostic => ({
      from: Math.min(from, length),
      to: Math.min(Math.max(to, from + 1), length),
      severity: 'error',
      message,
    }),
  );
  view.dispatch(setDiagnostics(view.state, diagnostics));
}

function completionAt(context: CompletionContext, complete: CodeOptions['complete']) {
  const word = context.matchBefore(WORD_BEFORE);
  if (word === null && !context.explicit) return null;
  const options = complete(context.state.doc.toString(), context.pos);
  if (options.length === 0) return null;
  return { from: word?.from ?? context.pos, options: [...options], validFor: /^[\w.]*$/ };
}

const COLOURS = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--ink)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--go)' },
  { tag: tags.punctuation, color: 'var(--quiet)' },
]);

const LOOK = EditorView.theme({
  '&': { height: '100%', color: 'var(--ink)', backgroundColor: 'var(--raised)', fontSize: '13px' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-1px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5' },
  '.cm-content': { caretColor: 'var(--ink)', padding: '6px 0' },
  '.cm-gutters': { backgroundColor: 'var(--panel)', color: 'var(--quiet)', border: 'none' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)', borderLeftWidth: '2px' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground':
    { backgroundColor: 'var(--accent-wash)' },
  '.cm-matchingBracket': { backgroundColor: 'var(--hold-wash)', outline: '1px solid var(--edge)' },
  '.cm-foldPlaceholder': { backgroundColor: 'var(--panel)', border: 'none', color: 'var(--quiet)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--raised)',
    border: '1px solid var(--edge)',
    color: 'var(--ink)',
    fontFamily: 'var(--sans)',
    fontSize: '13px',
  },
  '.cm-tooltip-autocomplete ul li': { padding: '3px 8px !important' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    backgroundColor: 'var(--accent)',
    color: 'var(--on-accent)',
  },
  '.cm-completionDetail': { marginLeft: '1em', fontStyle: 'normal', opacity: '0.75' },
  '.cm-diagnostic': { padding: '4px 8px', borderLeft: '3px solid var(--stop)' },
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--stop)',
    textUnderlineOffset: '3px',
  },
});
