/** The keys that do something here and now. */
import { keyWords } from '../strings/common.ts';
import { Dialog } from '../ui/dialog.tsx';
import { activeShortcuts, type Shortcut } from './shortcuts.ts';

export function KeyHelp({ onClose }: { onClose: () => void }) {
  const all = activeShortcuts();
  const here = all.filter(({ isEverywhere }) => isEverywhere !== true);
  const everywhere = all.filter(({ isEverywhere }) => isEverywhere === true);
  return (
    <Dialog title={keyWords.title} onClose={onClose}>
      <div class="key-help">
        {here.length > 0 ? <Part title={keyWords.here} shortcuts={here} /> : null}
        <Part title={keyWords.everywhere} shortcuts={everywhere} />
      </div>
    </Dialog>
  );
}

function Part({ title, shortcuts }: { title: string; shortcuts: readonly Shortcut[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {shortcuts.map(({ keys, what }) => (
          <div key={keys}>
            <dt>
              {keys.split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
