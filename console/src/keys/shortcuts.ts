/**
 * Keys: one listener for the whole console, and the list that `?` shows. A key that is typed into a
 * field is text and nothing else; one with Ctrl, Alt or Meta is the browser's.
 */
import { useLayoutEffect, useRef } from 'preact/hooks';

export interface Shortcut {
  /** As `KeyboardEvent.key` says it, or two after one another: `g i`. */
  readonly keys: string;
  readonly what: string;
  readonly act: () => void;
  readonly isEverywhere?: boolean;
}

const layers: (readonly Shortcut[])[] = [];
const PREFIX_MS = 1_200;
let prefix = '';
let prefixAt = 0;

/** What is on the page now, the innermost first. */
export function activeShortcuts(): readonly Shortcut[] {
  const all = layers.toReversed().flat();
  return all.filter(({ keys }, at) => all.findIndex((other) => other.keys === keys) === at);
}

/** Keys that hold while a component is on the page: from the moment that it can be seen. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  const names = shortcuts.map(({ keys }) => keys).join();
  useLayoutEffect(() => {
    const layer = latest.current.map(
      (shortcut, at): Shortcut => ({
        ...shortcut,
        act: () => latest.current[at]?.act(),
      }),
    );
    layers.push(layer);
    return () => void layers.splice(layers.indexOf(layer), 1);
  }, [names]);
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  if (isTyping(event.composedPath()[0]) || document.querySelector('dialog[open]') !== null) return;
  const before = Date.now() - prefixAt < PREFIX_MS ? prefix : '';
  const pressed = before === '' ? event.key : `${before} ${event.key}`;
  const known = activeShortcuts();
  const found = known.find(({ keys }) => keys === pressed || keys === event.key);
  prefix = '';
  if (found !== undefined) {
    event.preventDefault();
    found.act();
  } else if (known.some(({ keys }) => keys.startsWith(`${event.key} `))) {
    prefix = event.key;
    prefixAt = Date.now();
  }
});

function isTyping(target: EventTarget | undefined): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
