/** A workflow's versions: which was saved by whom, what differs between two, and one brought back. */
import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { Link, useLocation, useParams } from 'wouter-preact';
import type { Workflow } from '../../../../src/contract/workflows.ts';
import { paths, useFilter } from '../../address.ts';
import { one, workflows } from '../../api/routes.ts';
import { useIsAdmin } from '../../caller.ts';
import { draftText } from '../../editor/draft.ts';
import { queries } from '../../live/queries.ts';
import { common } from '../../strings/common.ts';
import { versionWords } from '../../strings/workflows.ts';
import { useAction } from '../../ui/action.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { folded, linesBetween } from '../../ui/difference.ts';
import { SelectField } from '../../ui/field.tsx';
import { PageHead } from '../../ui/page.tsx';
import { ErrorLine, ErrorPanel, Loading } from '../../ui/states.tsx';
import { visible } from '../../ui/text.ts';
import { Time } from '../../ui/time.tsx';
import { definitionOf } from './editor.tsx';

export function VersionsPage() {
  const { id = '' } = useParams<{ id: string }>();
  const { data, error } = useQuery({
    queryKey: ['workflow', id, 'now'],
    queryFn: () => one.workflow(id),
  });
  if (error !== null) return <ErrorPanel error={error} />;
  return data === undefined ? <Loading /> : <Versions workflow={data} />;
}

function Versions({ workflow }: { workflow: Workflow }) {
  const { id, version: last } = workflow;
  const { filter, set } = useFilter(['old', 'new']);
  const isAdmin = useIsAdmin();
  const [isRestoring, setIsRestoring] = useState(false);
  const newer = within(filter.new, last, last);
  const older = within(filter.old, Math.max(1, newer - 1), last);
  const [a, b] = [useVersion(id, older), useVersion(id, newer)];
  const options = Array.from({ length: last }, (_, at) => last - at).map((version) => ({
    value: String(version),
    label:
      version === last
        ? `${versionWords.version(version)}, ${versionWords.current}`
        : versionWords.version(version),
  }));
  return (
    <>
      <PageHead
        title={versionWords.of(visible(workflow.name))}
        above={<Link href={paths.workflow(id)}>{visible(workflow.name)}</Link>}
      >
        {isAdmin && newer !== last && b !== undefined ? (
          <button type="button" class="button" onClick={() => setIsRestoring(true)}>
            {versionWords.restore(newer)}
          </button>
        ) : null}
      </PageHead>
      <div class="two versions">
        <SelectField
          label={versionWords.older}
          value={String(older)}
          options={options}
          onInput={(value) => set({ old: value })}
          hint={a === undefined ? ' ' : <Saved workflow={a} />}
        />
        <SelectField
          label={versionWords.newer}
          value={String(newer)}
          options={options}
          onInput={(value) => set({ new: value })}
          hint={b === undefined ? ' ' : <Saved workflow={b} />}
        />
      </div>
      {a === undefined || b === undefined ? <Loading /> : <Difference before={a} after={b} />}
      {isRestoring && b !== undefined ? (
        <RestoreDialog workflow={workflow} from={b} onClose={() => setIsRestoring(false)} />
      ) : null}
    </>
  );
}

function useVersion(id: string, version: number): Workflow | undefined {
  return useQuery({
    queryKey: ['workflow', id, version],
    queryFn: () => one.workflow(id, version),
    staleTime: Number.POSITIVE_INFINITY,
  }).data;
}

function within(text: string | undefined, otherwise: number, last: number): number {
  const version = Number(text);
  return Number.isInteger(version) && version >= 1 && version <= last ? version : otherwise;
}

function Saved({ workflow }: { workflow: Workflow }) {
  return (
    <>
      <Time at={workflow.updatedAt} /> {versionWords.by(visible(workflow.updatedBy.name))}
    </>
  );
}

function Difference({ before, after }: { before: Workflow; after: Workflow }) {
  const lines = linesBetween(draftText(definitionOf(before)), draftText(definitionOf(after)));
  const isSame = lines.every(({ kind }) => kind === 'same');
  return (
    <>
      {isSame ? <p>{versionWords.same}</p> : null}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
      <section class="difference" aria-label={versionWords.label} tabIndex={0}>
        {folded(lines).map((part, at) =>
          part.isFold && !isSame ? (
            <div key={at} class="fold quiet">
              {versionWords.unchanged(part.lines.length)}
            </div>
          ) : (
            part.lines.map(({ kind, text }, line) => (
              <div key={`${at} ${line}`} class={`diff-line ${kind}`}>
                <span aria-hidden="true">
                  {kind === 'same' ? ' ' : kind === 'added' ? '+' : '−'}
                </span>
                {kind === 'same' ? null : <span class="unseen">{versionWords[kind]}</span>}
                <code>{visible(text)}</code>
              </div>
            ))
          ),
        )}
      </section>
    </>
  );
}

function RestoreDialog({
  workflow,
  from,
  onClose,
}: {
  workflow: Workflow;
  from: Workflow;
  onClose: () => void;
}) {
  const [, navigate] = useLocation();
  const action = useAction();
  const restore = async () => {
    const isDone = await action.run(async () => {
      const answer = await workflows.update(workflow.id, workflow.version, definitionOf(from));
      queries.setQueryData(['workflow', workflow.id], answer.workflow);
    });
    if (isDone) navigate(paths.workflow(workflow.id));
  };
  return (
    <Dialog title={versionWords.restore(from.version)} onClose={onClose}>
      <p>{versionWords.restoreHow}</p>
      <ErrorLine error={action.error} />
      <p class="actions">
        <button
          type="button"
          class="button primary"
          disabled={action.isBusy}
          onClick={() => void restore()}
        >
          {versionWords.restore(from.version)}
        </button>
        <button type="button" class="button" onClick={onClose}>
          {common.cancel}
        </button>
      </p>
    </Dialog>
  );
}
