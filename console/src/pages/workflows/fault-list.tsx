/** What is wrong, all of it at once, each with a way to its place. */
import type { Parsed } from '../../editor/draft.ts';
import { stepIndexOf, stepsOf } from '../../editor/draft.ts';
import { placeIn, rangeAt } from '../../editor/json-places.ts';
import type { Checked } from '../../editor/use-check.ts';
import { editorWords } from '../../strings/workflows.ts';
import { ErrorLine } from '../../ui/states.tsx';
import { Shape } from '../../ui/status.tsx';

export function FaultList({
  parsed,
  checked,
  text,
  onGo,
}: {
  parsed: Parsed;
  checked: Checked;
  text: string;
  onGo: (at: number, stepId: string | null) => void;
}) {
  if (!parsed.ok)
    return (
      <div class="fault-list has-faults" role="status">
        <p>
          <Shape status="failed" /> {editorWords.notJson}: {parsed.message} {editorWords.lastGood}
        </p>
      </div>
    );
  if (checked.error !== null) return <ErrorLine error={checked.error} />;
  const { faults } = checked;
  const steps = stepsOf(parsed.draft);
  return (
    <div class={faults.length > 0 ? 'fault-list has-faults' : 'fault-list'} role="status">
      <p>
        <Shape status={faults.length > 0 ? 'failed' : checked.isAsking ? 'queued' : 'succeeded'} />{' '}
        {faults.length > 0
          ? editorWords.faults(faults.length)
          : checked.isAsking
            ? editorWords.checking
            : editorWords.sound}
      </p>
      {faults.length === 0 ? null : (
        <ul aria-label={editorWords.faultList}>
          {faults.map(({ path, message }) => (
            <li key={`${path} ${message}`}>
              <button
                type="button"
                class="link"
                onClick={() => {
                  const range = rangeAt(text, path) ?? { from: 0, to: 1 };
                  const place = placeIn(text, range, message) ?? range;
                  const index = stepIndexOf(path);
                  onGo(place.from, steps.find((step) => step.index === index)?.id ?? null);
                }}
              >
                <span class="mono">{path}</span>
              </button>{' '}
              {message}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
