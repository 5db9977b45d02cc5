/** The picture of a definition, and the form of whatever is chosen in it. */
import type { JsonObject } from '../../../../src/contract/json.ts';
import type { Fault } from '../../../../src/contract/problems.ts';
import { stepIndexOf, stepsOf, withStepAfter } from '../../editor/draft.ts';
import { stationsOf } from '../../graph/layout.ts';
import { Track } from '../../graph/track.tsx';
import { editorWords } from '../../strings/workflows.ts';
import { isJsonObject, textOr } from '../../ui/json-kind.ts';
import { StepForm } from './step-form.tsx';
import { TriggerForm } from './trigger-form.tsx';

const NEW_ACTION = 'notify.webhook';

export function PictureSide({
  draft,
  isStale,
  isReadOnly,
  faults,
  chosen,
  onChoose,
  onChange,
}: {
  draft: JsonObject;
  isStale: boolean;
  isReadOnly: boolean;
  faults: readonly Fault[];
  chosen: string | null;
  onChoose: (id: string | null) => void;
  onChange: (draft: JsonObject) => void;
}) {
  const steps = stepsOf(draft);
  const trigger = isJsonObject(draft.trigger) ? draft.trigger : {};
  const step = steps.find(({ id }) => id === chosen);
  const faultsOfStep = (index: number) => faults.filter(({ path }) => stepIndexOf(path) === index);
  const around = faults.filter(({ path }) => stepIndexOf(path) === null);
  const look = (id: string) => {
    const found = steps.find((one) => one.id === id);
    return {
      title: id,
      detail: detailOf(found?.step ?? {}),
      status: null,
      faults: found === undefined ? 0 : faultsOfStep(found.index).length,
    };
  };
  const add = () => {
    const added = withStepAfter(draft, step?.id ?? null, NEW_ACTION);
    onChange(added.draft);
    onChoose(added.id);
  };
  return (
    <section
      class={isStale ? 'picture-side is-stale' : 'picture-side'}
      aria-label={editorWords.graph}
    >
      <h2>{editorWords.graph}</h2>
      <Track
        label={editorWords.graphLabel}
        stations={stationsOf(steps)}
        trigger={{
          title: textOr(trigger.event, '–'),
          detail: trigger.if === undefined ? '' : editorWords.triggerIf,
          status: null,
          faults: around.length,
        }}
        look={look}
        chosen={step?.id ?? null}
        onChoose={onChoose}
      />
      {isReadOnly ? null : (
        <p>
          <button type="button" class="button" disabled={isStale} onClick={add}>
            {step === undefined ? editorWords.addStep : editorWords.addAfter(step.id)}
          </button>
        </p>
      )}
      <fieldset class="form-side" disabled={isReadOnly || isStale}>
        {step === undefined ? (
          <TriggerForm draft={draft} faults={around} onChange={onChange} />
        ) : (
          <StepForm
            key={step.index}
            draft={draft}
            step={step}
            faults={faultsOfStep(step.index)}
            onChange={onChange}
            onChoose={onChoose}
          />
        )}
      </fieldset>
    </section>
  );
}

function detailOf(step: JsonObject): string {
  const what =
    typeof step.wait === 'string'
      ? `${editorWords.waitAction} ${step.wait}`
      : textOr(step.action, '–');
  return step.if === undefined ? what : `${what} · ${editorWords.triggerIf}`;
}
