/** Which step was at work when: a row for each, over one scale of time. */
import type { Run } from '../../../../src/contract/runs.ts';
import { runWords } from '../../strings/runs.ts';
import { useNow } from '../../ui/now.ts';
import { Shape, statusWord } from '../../ui/status.tsx';
import { spanText } from '../../ui/text.ts';
import { type Fall, fallOf, type Span } from './spans.ts';

export function Waterfall({
  run,
  chosen,
  onChoose,
}: {
  run: Run;
  chosen: string | null;
  onChoose: (stepId: string) => void;
}) {
  const fall = fallOf(run, useNow(run.finishedAt === null ? 1_000 : 60_000));
  return (
    <table class="waterfall" aria-label={runWords.waterfall}>
      <thead>
        <tr>
          <th scope="col">{runWords.columnsOfFall.step}</th>
          <th scope="col" class="scale">
            <span class="unseen">{runWords.columnsOfFall.when}</span>
            <span aria-hidden="true">0</span>
            <span aria-hidden="true">{spanText((fall.to - fall.from) / 2)}</span>
            <span aria-hidden="true">{spanText(fall.to - fall.from)}</span>
          </th>
          <th scope="col">{runWords.columnsOfFall.took}</th>
        </tr>
      </thead>
      <tbody>
        {run.steps.map((step) => {
          const spans = fall.byStep.get(step.id) ?? [];
          return (
            <tr key={step.id} class={step.id === chosen ? 'at' : ''}>
              <th scope="row">
                <button type="button" class="plain" onClick={() => onChoose(step.id)}>
                  <Shape status={step.status} />
                  {step.id}
                  <span class="unseen">{statusWord(step.status)}</span>
                </button>
              </th>
              <td>
                <Bars spans={spans} fall={fall} />
              </td>
              <td class="took">{spans.length === 0 ? '' : spanText(lengthOf(spans, fall))}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Bars({ spans, fall }: { spans: readonly Span[]; fall: Fall }) {
  const whole = fall.to - fall.from;
  const share = (ms: number) => (ms / whole) * 100;
  return (
    <div class="bars" aria-hidden="true">
      {spans.map(({ kind, from, to }) => (
        <i
          key={from}
          class={`bar ${kind}${to === null ? ' open' : ''}`}
          style={{
            left: `${share(from - fall.from)}%`,
            width: `${share((to ?? fall.to) - from)}%`,
          }}
        />
      ))}
    </div>
  );
}

function lengthOf(spans: readonly Span[], fall: Fall): number {
  const first = spans[0]?.from ?? fall.from;
  return Math.max(...spans.map(({ to }) => to ?? fall.to)) - first;
}
