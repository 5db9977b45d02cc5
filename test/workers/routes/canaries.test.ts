/** The search for secrets that ends every test file finds what is planted. */
import { env } from 'cloudflare:workers';
import { afterEach, expect, test } from 'vitest';
import { log } from '../../../src/log.ts';
import { Canaries } from '../support/canaries.ts';

const SECRET = 'whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5';
const SET = '/api/admin/connections/set';
const sent = JSON.stringify({ kind: 'webhook', signingSecret: SECRET });

let restore = () => {};
afterEach(() => restore());

function watching(): Canaries {
  const canaries = new Canaries();
  restore = canaries.watchLog();
  canaries.note(SET, sent, 200, '{"connection":{"kind":"webhook"}}');
  return canaries;
}

test('nothing where nothing is', async () => {
  expect(await watching().leaks()).toEqual([]);
});

test('what is logged', async () => {
  const canaries = watching();
  log({ what: 'request', code: SECRET });
  expect(await canaries.leaks()).toEqual(['the log: whsec_Y2FuYX…']);
});

test('what is answered, but for the answer that shows it once', async () => {
  const canaries = new Canaries();
  const shown = `{"apiKey":{"secret":"${SECRET}"}}`;
  canaries.note('/api/admin/api-keys/create', '{}', 201, shown);
  expect(await canaries.leaks()).toEqual([]);
  canaries.note('/api/admin/api-keys?limit=1', 'null', 200, shown);
  expect(await canaries.leaks()).toEqual(['an answer of /api/admin/api-keys: whsec_Y2FuYX…']);
});

test('what is in a row or a file', async () => {
  const canaries = watching();
  await env.DB.exec('CREATE TABLE planted (text TEXT)');
  await env.DB.prepare('INSERT INTO planted VALUES (?)').bind(`a ${SECRET} b`).run();
  await env.EXPORTS.put('planted.csv', SECRET);
  const leaks = await canaries.leaks();
  await env.EXPORTS.delete('planted.csv');
  expect(leaks).toEqual(['table planted: whsec_Y2FuYX…', 'file planted.csv: whsec_Y2FuYX…']);
});
