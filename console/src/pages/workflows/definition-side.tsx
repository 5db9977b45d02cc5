/** The definition as it is: JSON, with what is wrong underlined where it is wrong. */
import { useMemo } from 'preact/hooks';
import type { JsonObject } from '../../../../src/contract/json.ts';
import type { Fault } from '../../../../src/contract/problems.ts';
import { Code } from '../../editor/code.tsx';
import { completionsFor } from '../../editor/completions.ts';
import { stepsOf } from '../../editor/draft.ts';
import { placeIn, rangeAt } from '../../editor/json-places.ts';
import { useCatalog } from '../../live/catalog.ts';
import { editorWords } from '../../strings/workflows.ts';
import { isJsonObject, textOr } from '../../ui/json-kind.ts';

export function DefinitionSide({
  text,
  draft,
  faults,
  cursor,
  isReadOnly,
  onInput,
}: {
  text: string;
  draft: JsonObject;
  faults: readonly Fault[];
  cursor: { readonly at: number } | null;
  isReadOnly: boolean;
  onInput: (text: string) => void;
}) {
  const catalog = useCatalog();
  const marks = useMemo(
    () =>
      faults.flatMap(({ path, message }) => {
        const range = rangeAt(text, path);
        return range === null ? [] : [{ ...(placeIn(text, range, message) ?? range), message }];
      }),
    [text, faults],
  );
  const complete = (source: string, at: number) => {
    if (!isInExpression(source, at)) return [];
    const { trigger } = draft;
    const event = isJsonObject(trigger) ? textOr(trigger.event, '') : '';
    const schema = catalog?.events.find(({ type }) => type === event)?.schema;
    return completionsFor(
      schema,
      stepsOf(draft).map(({ id }) => id),
    );
  };
  return (
    <section class="definition-side" aria-label={editorWords.definition}>
      <h2>{editorWords.definition}</h2>
      <Code
        label={editorWords.definitionLabel}
        text={text}
        onInput={onInput}
        marks={marks}
        complete={complete}
        cursor={cursor}
        isReadOnly={isReadOnly}
      />
    </section>
  );
}

/** In the text of an `if`, or inside `{{ }}`. */
function isInExpression(source: string, at: number): boolean {
  const line = source.slice(source.lastIndexOf('\n', at - 1) + 1, at);
  return /"if"\s*:\s*"[^"]*$/.test(line) || line.lastIndexOf('{{') > line.lastIndexOf('}}');
}
