/**
 * Two tenants, each with one of everything. The requests are made from the OpenAPI document: every
 * place that may name something gets every kind of the other tenant's ids, by every role. What belongs
 * to another tenant answers exactly as what does not exist, in status, in every word, and in time; and
 * nothing of it is read, changed or confirmed.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { isJsonObject, type Json, KEY_ROLES, type KeyRole } from '../../../src/contract/json.ts';
import { EXAMPLE_BODIES, EXAMPLE_IDS } from '../../../src/http/docs-examples.ts';
import { ROUTES } from '../../../src/routes/index.ts';
import type { Answer } from '../support/answers.ts';
import { send } from '../support/api.ts';
import { type Full, fullTenant, ID_KINDS, type IdKind } from '../support/full-tenant.ts';
import { isId, isKnown, nameOf, type Place, placesIn, withText } from '../support/places.ts';
import { stateOf } from '../support/state.ts';

const { body: document } = await send('GET', '/api/openapi.json');
const OURS = placesIn(document).filter(({ path }) => !path.startsWith('/api/platform/'));
const ID_PLACES = OURS.filter(isId);

const PREFIXES = {
  dlv: 'delivery',
  evt: 'event',
  exp: 'export',
  key: 'key',
  mem: 'member',
  run: 'run',
  wf: 'workflow',
} as const;

let mine: Full;
let theirs: Full;
beforeAll(async () => {
  mine = await fullTenant('mine');
  theirs = await fullTenant('theirs');
});

/** An id of the same form that nobody has. */
function missing(kind: IdKind): string {
  const id = theirs.ids[kind];
  const swapped = id.replace(theirs.word, 'nobody');
  if (swapped !== id) return swapped;
  return id.replace(/[0-9a-f]{6}(-\d+)?$/, (end) => end.replace(/^.{6}/, 'ffffff'));
}

/** A right request of my own tenant but for the one place. */
async function ask(place: Place, text: string, role: KeyRole): Promise<Answer> {
  const { method, where } = place;
  const common = { token: await mine.tenant.key(role), headers: { 'x-request-id': 'same' } };
  if (where === 'body')
    return await send(method, pathOf(place), { ...common, body: bodyOf(place, text) });
  const path =
    where === 'path' ? place.path.replace(/\{\w+\}/, encodeURIComponent(text)) : place.path;
  const query = where === 'query' ? `?${new URLSearchParams({ [nameOf(place)]: text })}` : '';
  const body = method === 'POST' ? { body: EXAMPLE_BODIES[place.path] ?? {} } : {};
  return await send(method, `${path}${query}`, { ...common, ...body });
}

function pathOf({ path }: Place): string {
  return path.replace('{tenantId}', mine.tenant.id).replace('{key}', mine.ids.flag);
}

/** My own run stands where none is asked about, so that what is wrong is found behind it. */
function bodyOf(place: Place, text: string): Json {
  const example = EXAMPLE_BODIES[place.path] ?? {};
  if (!isJsonObject(example)) return example;
  const body = 'runId' in example ? { ...example, runId: mine.ids.run } : example;
  return withText(body, place.at, text);
}

/** The answer without what differs between any two: the id that was sent, and what was made just now. */
function plain({ status, text }: Answer, sent: string): string {
  const words = text
    .replaceAll(JSON.stringify(sent).slice(1, -1), 'SENT')
    .replaceAll(encodeURIComponent(sent), 'SENT')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/[a-z]{2,3}_[0-9a-f]{12,}/g, 'ID')
    .replaceAll(/sb[xf]_[0-9a-z_-]+|\bwhsec_\S+/g, 'KEY');
  return `${status} ${words}`;
}

/** What must never be in an answer to somebody else, but for what they have sent themselves. */
function leaks({ text }: Answer, sent: string): string[] {
  const own = Object.values(theirs.ids).filter((id) => !sent.includes(id) && !id.includes(sent));
  const rest = text.replaceAll(JSON.stringify(sent).slice(1, -1), '');
  return [...own, `of ${theirs.word}`, `/${theirs.word}`].filter((word) => rest.includes(word));
}

function theirIdAt(path: string): string | undefined {
  const kind = idKindOf(path);
  return kind === null ? undefined : theirs.ids[kind];
}

/** What belongs there, where another kind of id would be turned away at once. */
function kindOf(place: Place): IdKind {
  const name = nameOf(place);
  const own = ID_KINDS.find((kind) => name.toLowerCase().startsWith(kind));
  if (own !== undefined) return own;
  if (['members', 'onBehalfOf', 'to'].includes(name)) return 'member';
  const example = EXAMPLE_BODIES[place.path];
  const id = isJsonObject(example) && typeof example.id === 'string' ? example.id : '';
  return idKindOf(place.path) ?? kindOfId(id) ?? 'tenant';
}

function kindOfId(id: string): IdKind | null {
  const prefix = id.split('_')[0] ?? '';
  const known = Object.entries(PREFIXES).find(([name]) => name === prefix);
  return known?.[1] ?? null;
}

function titleOf({ method, path, at: place }: Place): string {
  return `${method} ${path} ${place.join('.')}`;
}

/** Reading waits for nothing of one another; what changes something is done in turn. */
async function eachOf<Item>(
  items: readonly Item[],
  inTurn: boolean,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  if (!inTurn) await Promise.all(items.map(work));
  else for (const item of items) await work(item);
}

function idKindOf(path: string): IdKind | null {
  const id = EXAMPLE_IDS[path];
  return id === undefined ? null : (kindOfId(id) ?? 'order');
}

test('every open text of every request is known to be an id or a word', () => {
  const unknown = OURS.filter((place) => !isKnown(place));
  expect(unknown.map(titleOf)).toEqual([]);
  expect(ID_PLACES.length).toBeGreaterThan(60);
});

describe('lists', () => {
  const LISTS = ROUTES.flatMap(({ path, query }) =>
    path.startsWith('/api/admin/') && query !== undefined && 'limit' in query.unwrap().shape
      ? [path]
      : [],
  );

  test.each(LISTS)(
    "%s shows own rows alone, and so it does by another tenant's cursor",
    async (path) => {
      const own = await mine.tenant.get(path, 'admin');
      expect(leaks(own, '\n')).toEqual([]);
      const { body } = await theirs.tenant.get(`${path}?limit=1`, 'admin');
      if (typeof body.nextCursor !== 'string') return;
      const page = await mine.tenant.get(`${path}?cursor=${body.nextCursor}`, 'admin');
      expect(page.status).toBe(200);
      expect(leaks(page, '\n')).toEqual([]);
    },
  );

  test('a tenant that is named in a header or a query selects nothing', async () => {
    const { tenant } = mine;
    const token = await tenant.key('admin');
    for (const path of LISTS) {
      const headers = { 'x-tenant-id': theirs.tenant.id };
      const named = await send('GET', path, { token, headers });
      expect(named.status, path).toBe(200);
      expect(leaks(named, theirs.tenant.id), path).toEqual([]);
      expect((await tenant.get(`${path}?tenantId=${theirs.tenant.id}`, 'admin')).status).toBe(400);
    }
  });
});

describe('ids of another tenant', () => {
  let before: Record<string, string>;
  beforeAll(async () => {
    before = await stateOf(theirs.tenant, theirIdAt);
  });

  test.each(ID_PLACES.map((place) => ({ place, name: titleOf(place) })))(
    '$name: as if they were not there',
    { timeout: 60_000 },
    async ({ place }) => {
      const tries = KEY_ROLES.flatMap((role) =>
        (role === 'admin' ? ID_KINDS : [kindOf(place)]).map((kind) => ({ role, kind })),
      );
      const inTurn = place.method === 'POST';
      await eachOf(tries, inTurn, async ({ role, kind }) => {
        const foreign = theirs.ids[kind];
        const one = await ask(place, foreign, role);
        const other = await ask(place, missing(kind), role);
        expect(plain(one, foreign), `${role} ${kind}`).toBe(plain(other, missing(kind)));
        expect(leaks(one, foreign), `${role} ${kind}: ${one.text}`).toEqual([]);
      });
    },
  );

  test('and nothing of the other tenant was changed by any of it', async () => {
    expect(await stateOf(theirs.tenant, theirIdAt)).toEqual(before);
  });
});

test('an id of another tenant takes no longer to be refused than one that nobody has', async () => {
  const { tenant } = mine;
  const path = '/api/admin/workflow-runs/get?id=';
  const took = { foreign: [0], missing: [0] };
  for (let round = 0; round < 60; round += 1)
    for (const [name, id] of [
      ['foreign', theirs.ids.run],
      ['missing', missing('run')],
    ] as const) {
      const begun = performance.now();
      await tenant.get(`${path}${id}`);
      took[name].push(performance.now() - begun);
    }
  const ratio = medianOf(took.foreign) / medianOf(took.missing);
  expect(ratio).toBeGreaterThan(1 / 2);
  expect(ratio).toBeLessThan(2);
});

function medianOf(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}
