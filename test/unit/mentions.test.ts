/** Whom a text speaks of: found however it is written, and nobody else taken for them. */
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/contract/json.ts';
import { mentionsOf, orderIdsIn, runIdsIn } from '../../src/engine/mentions.ts';

const EMAIL = 'carla.canary+shop@example.com';
const mentions = mentionsOf({
  emails: [EMAIL],
  customerIds: ['cust-7781', '123456', '42'],
  names: ['Carla  Ñandú'],
  actorIds: [],
});

describe('the person', () => {
  test.each<[string, Json]>([
    ['an address', EMAIL],
    ['in capitals', EMAIL.toUpperCase()],
    ['in a sentence', `Write to ${EMAIL}.`],
    ['in angle brackets', `Carla <${EMAIL}>`],
    ['as mailto', `mailto:${EMAIL}?subject=x`],
    ['in a URL', `https://x.example/?to=${encodeURIComponent(EMAIL)}&y=1`],
    ['in a form', `to=${encodeURIComponent(EMAIL)}`],
    ['in HTML', '<b>carla.canary&#43;shop&#x40;example.com</b>'],
    ['in JSON in a text', JSON.stringify({ a: JSON.stringify({ b: `\u00e9 ${EMAIL}` }) })],
    ['in escapes of JSON', '\\u0063arla.canary+shop@example.com'],
    ['as the name of a field', { [EMAIL]: 1 }],
    ['deep in lists', [[{ a: [null, 1, { b: `x ${EMAIL}` }] }]]],
    ['an id', 'cust-7781'],
    ['an id with something before it', 'vip-cust-7781'],
    ['an id in an address', 'https://x.example/customers/cust-7781/hook'],
    ['a number as an id', 'customer 123456 called'],
    ['a short id in a customer’s field', { customer: { id: '42' } }],
    ['the same as a number', { customer_id: 42 }],
    ['the same in a list', { customerIds: [7, '42'] }],
    ['a name', 'This is Carla Ñandú.'],
    ['a name in a URL', '/search?q=Carla%20%C3%91and%C3%BA'],
    ['a name in a form', 'name=Carla+%C3%91and%C3%BA'],
    ['a name with another blank', 'Carla\u00a0Ñandú'],
    ['a name in parts of letters', 'Carla N\u0303andu\u0301'],
  ])('%s', (_how, value) => {
    expect(mentions(value)).toBe(true);
  });
});

describe('somebody else', () => {
  test.each<[string, Json | undefined]>([
    ['an address that ends in theirs', `x${EMAIL}`],
    ['an address that begins as theirs', `${EMAIL}.au`],
    ['an address with a part more', `dr.${EMAIL}`],
    ['a longer id', 'cust-77812'],
    ['an id with something after it', 'cust-7781-b'],
    ['a longer number', '1234567'],
    ['a number with something before it', 'order-123456'],
    ['a short id anywhere', 'the answer is 42'],
    ['a short id of something else', { order: { id: '42' }, total: 42 }],
    ['a longer name', 'Carla Ñandúa'],
    ['a double name', 'Anna-Carla Ñandú'],
    ['one word of a name', 'Carla'],
    ['nothing', undefined],
    ['null', null],
    ['what is no escape', '100%; &#1114112; %zz & so on'],
  ])('%s', (_how, value) => {
    expect(mentions(value)).toBe(false);
  });
});

test('nobody is found where nothing is known of them', () => {
  const nobody = mentionsOf({ emails: [], customerIds: [], names: [], actorIds: ['mem_1'] });
  expect(nobody({ customer: { id: '' }, text: 'anything' })).toBe(false);
});

test('marks are no patterns', () => {
  const { emails, ...none } = {
    emails: ['a.b@x.example'],
    customerIds: [],
    names: [],
    actorIds: [],
  };
  expect(mentionsOf({ emails, ...none })('aXb@x.example')).toBe(false);
  const odd = mentionsOf({ ...none, emails: [], customerIds: ['(a|b)*{1}'] });
  expect(odd('see (a|b)*{1} there')).toBe(true);
});

test('ids of runs and orders are found where they stand', () => {
  const run = `run_${'0a'.repeat(16)}`;
  expect(runIdsIn(`see /runs/${run}, and ${run}x`)).toEqual([run]);
  expect(
    orderIdsIn({
      order: { id: 7, items: [{ orderId: '8' }] },
      order_id: '9',
      orders: ['10'],
      id: 11,
    }),
  ).toEqual(['7', '8', '9']);
});
