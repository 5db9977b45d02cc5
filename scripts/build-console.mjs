/**
 * `npm run build:console`: the console as files, into console/dist. For another origin than the API's:
 * `npm run build:console -- --api https://api.example.com --out <directory>`. docs/console.md
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Complaint, runMain } from './support/complaint.mjs';
import { buildConsole, ensureConsole } from './support/console.mjs';
import { ensureInstalled, ROOT } from './support/project.mjs';

await runMain(async () => {
  const { api, out } = readArguments();
  await ensureInstalled();
  if (api === undefined) await ensureConsole();
  else await buildConsole(out === undefined ? join(ROOT, 'dist', 'console') : resolve(out), api);
});

function readArguments() {
  const text = /** @type {const} */ ({ type: 'string' });
  const { api, out } = parseArgs({ options: { api: text, out: text } }).values;
  if (api !== undefined && !/^https?:\/\/[^/]+$/.test(api))
    throw new Complaint(`--api is an origin such as https://api.example.com, not ${api}.`);
  return { api, out };
}
