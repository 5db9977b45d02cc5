/** Something that is asked for once more before it is done. */
import type { ComponentChildren } from 'preact';
import { common } from '../strings/common.ts';
import { useAction } from './action.ts';
import { Copyable } from './copy.tsx';
import { Dialog } from './dialog.tsx';
import { ErrorLine } from './states.tsx';

export function Ask({
  title,
  verb,
  keep = common.cancel,
  children,
  isStop = false,
  isReady = true,
  onDo,
  onClose,
}: {
  title: string;
  verb: string;
  /** How it is left alone. */
  keep?: string;
  children: ComponentChildren;
  isStop?: boolean;
  isReady?: boolean;
  /** Closes when it succeeds. */
  onDo: () => Promise<unknown>;
  onClose: () => void;
}) {
  const action = useAction();
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        onSubmit={async (event) => {
          event.preventDefault();
          if (await action.run(onDo)) onClose();
        }}
      >
        {children}
        <ErrorLine error={action.error} />
        <p class="actions">
          <button
            type="submit"
            class={isStop ? 'button primary stop' : 'button primary'}
            disabled={action.isBusy || !isReady}
          >
            {verb}
          </button>
          <button type="button" class="button" onClick={onClose}>
            {keep}
          </button>
        </p>
      </form>
    </Dialog>
  );
}

/** What is shown once: it stays until somebody says that they have it. */
export function ShownOnce({
  title,
  how,
  text,
  what,
  done,
  onClose,
}: {
  title: string;
  how: string;
  text: string;
  what: string;
  done: string;
  onClose: () => void;
}) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{how}</p>
      <p class="secret">
        <Copyable text={text} what={what} />
      </p>
      <p class="actions">
        <button type="button" class="button primary" onClick={onClose}>
          {done}
        </button>
      </p>
    </Dialog>
  );
}
