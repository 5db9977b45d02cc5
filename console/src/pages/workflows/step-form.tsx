/** One step of a definition: what it does and with what, after which others, and who is asked. */
import type { Json, JsonObject } from '../../../../src/contract/json.ts';
import type { Fault } from '../../../../src/contract/problems.ts';
import { type DraftStep, stepsOf, withoutStep, withStep, withStepId } from '../../editor/draft.ts';
import { readValue, withField } from '../../editor/schema.ts';
import { SchemaForm } from '../../editor/schema-form.tsx';
import { useCatalog } from '../../live/catalog.ts';
import { editorWords } from '../../strings/workflows.ts';
import { CheckField, SelectField, TextField } from '../../ui/field.tsx';
import { isJsonObject, textOr } from '../../ui/json-kind.ts';
import { ConditionField } from './condition-field.tsx';

const WAIT = 'wait';

interface Props {
  readonly draft: JsonObject;
  readonly step: DraftStep;
  readonly faults: readonly Fault[];
  readonly onChange: (draft: JsonObject) => void;
  readonly onChoose: (id: string | null) => void;
}

export function StepForm({ draft, step: { id, index, step }, faults, onChange, onChoose }: Props) {
  const catalog = useCatalog();
  const actions = catalog?.actions ?? [];
  const isWait = step.wait !== undefined;
  const action = actions.find(({ name }) => name === step.action);
  const prefix = `steps.${index}.`;
  const own = faults.map(({ path, message }) => ({
    path: path.startsWith(prefix) ? path.slice(prefix.length) : '',
    message,
  }));
  const faultAt = (path: string) => own.find((fault) => fault.path === path)?.message;
  const set = (name: string, value: Json | undefined) =>
    onChange(withStep(draft, index, withField(step, name, value)));
  const rename = (next: string) => {
    onChange(withStepId(draft, index, next));
    onChoose(next);
  };
  return (
    <>
      <h3>{editorWords.step(id)}</h3>
      {own
        .filter(({ path }) => path === '')
        .map(({ message }) => (
          <p key={message} class="fault">
            {message}
          </p>
        ))}
      <div class="two">
        <TextField
          label={editorWords.stepId}
          value={textOr(step.id, '')}
          onInput={rename}
          fault={faultAt('id')}
          class="mono"
          spellcheck={false}
        />
        <SelectField
          label={editorWords.action}
          value={isWait ? WAIT : textOr(step.action, '')}
          options={optionsOf(
            actions.map(({ name }) => name),
            textOr(step.action, ''),
          )}
          onInput={(name) => onChange(withStep(draft, index, doing(step, name)))}
          hint={action === undefined ? faultAt('action') : editorWords.risk(action.risk)}
        />
      </div>
      {isWait ? (
        <TextField
          label={editorWords.wait}
          value={textOr(step.wait, '')}
          onInput={(text) => set('wait', text)}
          hint={editorWords.waitHint}
          fault={faultAt('wait')}
        />
      ) : null}
      {action === undefined ? null : (
        <fieldset class="nested">
          <legend>{editorWords.inputs}</legend>
          <p class="hint">{editorWords.inputsHint}</p>
          <SchemaForm
            schema={action.schema}
            value={isJsonObject(step.with) ? step.with : {}}
            onInput={(next) => set('with', next)}
            faults={own.filter(({ path }) => path.startsWith('with')).map(withinInputs)}
          />
        </fieldset>
      )}
      <Needs draft={draft} id={id} step={step} onInput={(needs) => set('needs', needs)} />
      <ConditionField
        draft={draft}
        before={stepsOf(draft).flatMap((one) => (one.id === id ? [] : [one.id]))}
        value={textOr(step.if, '')}
        fault={faultAt('if')}
        onInput={(text) => set('if', text === '' ? undefined : text)}
      />
      {isWait ? null : <Care step={step} faultAt={faultAt} set={set} />}
      <p>
        <button
          type="button"
          class="button stop"
          onClick={() => {
            onChange(withoutStep(draft, id));
            onChoose(null);
          }}
        >
          {editorWords.removeStep}
        </button>
      </p>
    </>
  );
}

/** How patient it is, and who is asked besides the policy. */
function Care({
  step,
  faultAt,
  set,
}: {
  step: JsonObject;
  faultAt: (path: string) => string | undefined;
  set: (name: string, value: Json | undefined) => void;
}) {
  const inner = (name: string) => (isJsonObject(step[name]) ? step[name] : {});
  const setInner = (name: string, field: string, text: string) => {
    const next = withField(inner(name), field, readValue(text, 'number'));
    set(name, Object.keys(next).length === 0 ? undefined : next);
  };
  const shown = (value: Json | undefined) => (value === undefined ? '' : String(value));
  return (
    <div class="two">
      <TextField
        label={editorWords.approvals}
        hint={editorWords.approvalsHint}
        value={shown(inner('approval').approvals)}
        onInput={(text) => setInner('approval', 'approvals', text)}
        fault={faultAt('approval.approvals')}
        type="number"
      />
      <TextField
        label={editorWords.retry}
        value={shown(inner('retry').attempts)}
        onInput={(text) => setInner('retry', 'attempts', text)}
        fault={faultAt('retry.attempts')}
        type="number"
      />
      <TextField
        label={editorWords.timeout}
        value={textOr(step.timeout, '')}
        onInput={(text) => set('timeout', text === '' ? undefined : text)}
        fault={faultAt('timeout')}
        hint={editorWords.waitHint}
      />
    </div>
  );
}

function Needs({
  draft,
  id,
  step,
  onInput,
}: {
  draft: JsonObject;
  id: string;
  step: JsonObject;
  onInput: (needs: string[] | undefined) => void;
}) {
  const all = stepsOf(draft);
  const own = all.find((one) => one.id === id)?.needs;
  const others = all.filter((one) => one.id !== id);
  if (others.length === 0) return null;
  const ordered = others.map((one) => one.id);
  return (
    <fieldset class="needs">
      <legend>{editorWords.needs}</legend>
      {ordered.map((other) => (
        <CheckField
          key={other}
          label={other}
          checked={own?.includes(other) ?? false}
          onInput={(isNeeded) => {
            const next = ordered.filter((one) =>
              one === other ? isNeeded : (own?.includes(one) ?? false),
            );
            onInput(next.length === 0 && step.needs === undefined ? undefined : next);
          }}
        />
      ))}
      {own === undefined ? <p class="hint">{editorWords.needsBefore}</p> : null}
    </fieldset>
  );
}

/** Another action takes other inputs; a wait takes none. */
function doing({ action: _a, with: _w, wait: _t, ...rest }: JsonObject, name: string): JsonObject {
  const { id = '', ...more } = rest;
  const what: JsonObject = name === WAIT ? { wait: '1h' } : { action: name, with: {} };
  return { id, ...what, ...more };
}

function optionsOf(names: readonly string[], own: string) {
  const known = own === '' || names.includes(own) ? names : [own, ...names];
  return [...known, WAIT].map((name) => ({
    value: name,
    label: name === WAIT ? editorWords.waitAction : name,
  }));
}

function withinInputs({ path, message }: Fault): Fault {
  return { path: path.replace(/^with\.?/, ''), message };
}
