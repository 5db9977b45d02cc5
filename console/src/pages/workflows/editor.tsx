/** One workflow: its picture and forms on one side, its definition on the other, both of one text. */
import { useQuery } from '@tanstack/preact-query';
import { useMemo, useState } from 'preact/hooks';
import { Link, useLocation, useParams } from 'wouter-preact';
import type { JsonObject } from '../../../../src/contract/json.ts';
import type { Workflow } from '../../../../src/contract/workflows.ts';
import { paths, withQuery } from '../../address.ts';
import { Problem } from '../../api/client.ts';
import { one, workflows } from '../../api/routes.ts';
import { useIsAdmin } from '../../caller.ts';
import { draftText, parseDraft } from '../../editor/draft.ts';
import { useCheck } from '../../editor/use-check.ts';
import { queries } from '../../live/queries.ts';
import { editorWords, workflowWords } from '../../strings/workflows.ts';
import { useAction } from '../../ui/action.ts';
import { PageHead } from '../../ui/page.tsx';
import { ErrorLine, ErrorPanel, Loading } from '../../ui/states.tsx';
import { visible } from '../../ui/text.ts';
import { DefinitionSide } from './definition-side.tsx';
import { FaultList } from './fault-list.tsx';
import { Switch } from './list.tsx';
import { PictureSide } from './picture-side.tsx';
import { STARTER } from './starter.ts';

export function EditorPage() {
  const { id = '' } = useParams<{ id: string }>();
  const isNew = id === 'new';
  const { data, error, refetch } = useQuery({
    queryKey: ['workflow', id],
    queryFn: () => one.workflow(id),
    enabled: !isNew,
    // What is being written is never replaced under somebody's hands.
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (isNew) return <Editor key="new" workflow={null} />;
  if (error !== null) return <ErrorPanel error={error} retry={() => void refetch()} />;
  return data === undefined ? (
    <Loading />
  ) : (
    <Editor key={`${id} ${data.version}`} workflow={data} />
  );
}

function Editor({ workflow }: { workflow: Workflow | null }) {
  const [, navigate] = useLocation();
  const isAdmin = useIsAdmin();
  const saved = useMemo(
    () => draftText(workflow === null ? STARTER : definitionOf(workflow)),
    [workflow],
  );
  const [text, setText] = useState(saved);
  const [cursor, setCursor] = useState<{ at: number } | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const [lastGood, setLastGood] = useState<JsonObject>({});
  const parsed = useMemo(() => parseDraft(text), [text]);
  const draft = parsed.ok ? parsed.draft : lastGood;
  if (parsed.ok && parsed.draft !== lastGood) setLastGood(parsed.draft);
  const checked = useCheck(parsed.ok ? parsed.draft : null, text);
  const action = useAction();
  const isChanged = workflow === null || text !== saved;
  const isConflict = action.error instanceof Problem && action.error.code === 'version_conflict';

  const save = async () => {
    if (!parsed.ok) return;
    await action.run(async () => {
      const answer =
        workflow === null
          ? await workflows.create(parsed.draft)
          : await workflows.update(workflow.id, workflow.version, parsed.draft);
      queries.setQueryData(['workflow', answer.workflow.id], answer.workflow);
      if (workflow === null) navigate(paths.workflow(answer.workflow.id), { replace: true });
    });
  };
  return (
    <>
      <PageHead
        title={visible(
          typeof draft.name === 'string' && draft.name !== '' ? draft.name : editorWords.newTitle,
        )}
        above={<Link href={paths.workflows}>{workflowWords.title}</Link>}
      >
        {workflow === null ? null : <Existing workflow={workflow} isAdmin={isAdmin} />}
        <span class="quiet save-state">
          {workflow === null || isChanged
            ? editorWords.unsaved
            : editorWords.isSaved(workflow.version)}
        </span>
        {isAdmin ? (
          <button
            type="button"
            class="button primary"
            disabled={!isChanged || !parsed.ok || action.isBusy}
            onClick={() => void save()}
          >
            {workflow === null ? editorWords.saveNew : editorWords.save}
          </button>
        ) : (
          <span class="quiet">{editorWords.readOnly}</span>
        )}
      </PageHead>
      {isConflict && workflow !== null ? (
        <p class="notice">
          {editorWords.conflict}{' '}
          <button
            type="button"
            class="link"
            onClick={() => void queries.refetchQueries({ queryKey: ['workflow', workflow.id] })}
          >
            {editorWords.reload}
          </button>
        </p>
      ) : (
        <ErrorLine
          error={
            action.error instanceof Problem && action.error.errors.length > 0 ? null : action.error
          }
        />
      )}
      <FaultList
        parsed={parsed}
        checked={checked}
        text={text}
        onGo={(at, stepId) => {
          setCursor({ at });
          setChosen(stepId);
        }}
      />
      <div class="editor">
        <PictureSide
          draft={draft}
          isStale={!parsed.ok}
          isReadOnly={!isAdmin}
          faults={checked.faults}
          chosen={chosen}
          onChoose={setChosen}
          onChange={(next) => setText(draftText(next))}
        />
        <DefinitionSide
          text={text}
          draft={draft}
          faults={checked.faults}
          cursor={cursor}
          isReadOnly={!isAdmin}
          onInput={setText}
        />
      </div>
    </>
  );
}

function Existing({ workflow, isAdmin }: { workflow: Workflow; isAdmin: boolean }) {
  const { data } = useQuery({
    queryKey: ['workflow', workflow.id, 'switch'],
    queryFn: () => one.workflow(workflow.id),
    initialData: workflow,
    initialDataUpdatedAt: 0,
    refetchInterval: 10_000,
  });
  return (
    <>
      <span class="switch-line">
        <Switch item={data} isAdmin={isAdmin} />
        {data.enabled ? editorWords.on : editorWords.off}
      </span>
      <Link href={withQuery(paths.runs, { workflowId: workflow.id })}>{editorWords.runs}</Link>
      <Link href={paths.workflowVersions(workflow.id)}>{editorWords.versions}</Link>
    </>
  );
}

/** What is saved, in the order in which people read it. */
export function definitionOf({ name, description, trigger, steps }: Workflow): JsonObject {
  const told = description === null ? {} : { description };
  return JSON.parse(JSON.stringify({ name, ...told, trigger, steps }));
}
