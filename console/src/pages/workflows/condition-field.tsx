/** One CEL expression on a line: completed while it is written, its fault where it is. */
import { useMemo } from 'preact/hooks';
import type { JsonObject } from '../../../../src/contract/json.ts';
import { Code } from '../../editor/code.tsx';
import { completionsFor } from '../../editor/completions.ts';
import { placeIn } from '../../editor/json-places.ts';
import { useCatalog } from '../../live/catalog.ts';
import { editorWords } from '../../strings/workflows.ts';
import { isJsonObject, textOr } from '../../ui/json-kind.ts';

export function ConditionField({
  draft,
  before,
  value,
  fault,
  onInput,
}: {
  draft: JsonObject;
  /** Ids of the steps that have ended when it is looked at. */
  before: readonly string[];
  value: string;
  fault: string | undefined;
  onInput: (text: string) => void;
}) {
  const catalog = useCatalog();
  const event = isJsonObject(draft.trigger) ? textOr(draft.trigger.event, '') : '';
  const schema = catalog?.events.find(({ type }) => type === event)?.schema;
  const completions = completionsFor(schema, before);
  const marks = useMemo(() => {
    if (fault === undefined) return [];
    // In quotes it is a string of the definition, whose places are known.
    const quoted = `"${value}"`;
    const place = placeIn(quoted, { from: 0, to: quoted.length }, fault);
    const at = place === null ? 0 : place.from - 1;
    return [{ from: at, to: place === null ? value.length : at + 1, message: fault }];
  }, [value, fault]);
  return (
    <div class="field">
      <span class="label">{editorWords.condition}</span>
      <Code
        label={editorWords.condition}
        text={value}
        onInput={onInput}
        marks={marks}
        complete={() => completions}
        isOneLine
      />
      <div class={fault === undefined ? 'hint' : 'fault'}>{fault ?? editorWords.conditionHint}</div>
    </div>
  );
}
