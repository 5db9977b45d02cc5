/**
 * Loads the product's own sources into Node, with the runtime's modules and one planted fault in their
 * place. To be imported before the product is. https://nodejs.org/api/module.html#customization-hooks
 */
import { registerHooks } from 'node:module';
import type { Plant } from './plants.ts';

const REPLACED: Readonly<Record<string, string>> = {
  'cloudflare:workers': new URL('./platform/workers.ts', import.meta.url).href,
  uuid: new URL('./platform/uuid.ts', import.meta.url).href,
};

export function loadWith(plant: Plant | null): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const url = REPLACED[specifier];
      return url === undefined || context.parentURL === url
        ? nextResolve(specifier, context)
        : { url, format: 'module-typescript', shortCircuit: true };
    },
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const own = (plant?.changes ?? []).filter(({ file }) => url.endsWith(`/${file}`));
      if (own.length === 0) return loaded;
      return { ...loaded, source: changed(String(loaded.source), own) };
    },
  });
}

/** Throws when the sources are not any more what the fault was made for. */
function changed(source: string, changes: Plant['changes']): string {
  let text = source;
  for (const { file, from, to } of changes) {
    if (text.split(from).length !== 2) throw new Error(`${file} has not once: ${from}`);
    text = text.replace(from, () => to);
  }
  return text;
}
