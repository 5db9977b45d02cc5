/** What a workflow is called, and which events start it. */
import type { JsonObject } from '../../../../src/contract/json.ts';
import type { Fault } from '../../../../src/contract/problems.ts';
import { withField } from '../../editor/schema.ts';
import { useCatalog } from '../../live/catalog.ts';
import { editorWords } from '../../strings/workflows.ts';
import { TextField } from '../../ui/field.tsx';
import { isJsonObject, textOr } from '../../ui/json-kind.ts';
import { ConditionField } from './condition-field.tsx';

export function TriggerForm({
  draft,
  faults,
  onChange,
}: {
  draft: JsonObject;
  faults: readonly Fault[];
  onChange: (draft: JsonObject) => void;
}) {
  const catalog = useCatalog();
  const trigger = isJsonObject(draft.trigger) ? draft.trigger : {};
  const faultAt = (path: string) => faults.find((fault) => fault.path === path)?.message;
  const setTrigger = (name: string, text: string) =>
    onChange(withField(draft, 'trigger', withField(trigger, name, text === '' ? undefined : text)));
  return (
    <>
      <TextField
        label={editorWords.name}
        value={textOr(draft.name, '')}
        onInput={(name) => onChange({ ...draft, name })}
        fault={faultAt('name')}
      />
      <TextField
        label={editorWords.description}
        value={textOr(draft.description, '')}
        onInput={(text) => onChange(describedBy(draft, text))}
        fault={faultAt('description')}
      />
      <TextField
        label={editorWords.event}
        value={textOr(trigger.event, '')}
        onInput={(event) => setTrigger('event', event)}
        fault={faultAt('trigger.event')}
        class="mono"
        list="event-types"
        spellcheck={false}
      />
      <datalist id="event-types">
        {(catalog?.events ?? []).map(({ type }) => (
          <option key={type} value={type} />
        ))}
      </datalist>
      <ConditionField
        draft={draft}
        before={[]}
        value={textOr(trigger.if, '')}
        fault={faultAt('trigger.if')}
        onInput={(text) => setTrigger('if', text)}
      />
    </>
  );
}

/** Second, where people look for it. */
function describedBy(
  { name = '', description: _former, ...rest }: JsonObject,
  text: string,
): JsonObject {
  const described: JsonObject = text === '' ? {} : { description: text };
  return { name, ...described, ...rest };
}
