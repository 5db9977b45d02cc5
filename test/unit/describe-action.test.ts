/** What actions say they will do: the first thing that an approver reads. */
import { describe, expect, it, test } from 'vitest';
import * as all from '../../src/actions/all.ts';
import { ACTIONS, describeAction } from '../../src/actions/index.ts';
import { moneyText } from '../../src/currency.ts';

describe('an action in plain words', () => {
  it.each([
    [
      'order.refund',
      { orderId: '1001', amount: { amount: 7500, currency: 'USD' } },
      'Refund 75.00 USD of order 1001',
    ],
    ['order.refund', { orderId: '1001' }, 'Refund all that is left of order 1001'],
    ['order.cancel', { orderId: '1001' }, 'Cancel order 1001'],
    ['flag.enable', { key: 'sale' }, 'Switch the flag sale on'],
    ['flag.disable', { key: 'instant-refunds' }, 'Switch the flag instant-refunds off'],
    ['export.orders', { format: 'csv' }, 'Export all orders as CSV'],
    [
      'export.orders',
      { format: 'ndjson', from: '2026-01-01T00:00:00Z' },
      'Export the orders from 2026-01-01T00:00:00Z as NDJSON',
    ],
    ['tag.order', { orderId: '1', tag: 'vip' }, 'Put the tag “vip” on order 1'],
    [
      'notify.email',
      { to: 'a@example.com', subject: 'Hi', text: 'x' },
      'Send the email “Hi” to a@example.com',
    ],
    [
      'notify.webhook',
      { url: 'https://example.com/hook' },
      'Send a webhook (POST) to https://example.com/hook',
    ],
  ])('%s of %j', (name, input, words) => {
    expect(describeAction(name, input)).toBe(words);
  });

  it('names three addresses of an email, and how many more there are', () => {
    const to = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}@example.com`);
    const words = describeAction('notify.email', { to, subject: 'Hi', text: 'x' });
    expect(words).toBe(
      'Send the email “Hi” to a@example.com, b@example.com, c@example.com and 2 more',
    );
  });

  it('has a sentence also for wrong inputs and for an action that is gone', () => {
    expect(describeAction('order.refund', { orderId: 7 })).toBe('Run the action order.refund');
    expect(describeAction('order.explode', null)).toBe('Run the action order.explode');
    expect(describeAction('toString', {})).toBe('Run the action toString');
  });

  it('is there for every action', () => {
    for (const { name, describe } of Object.values(ACTIONS)) expect(describe(null)).toContain(name);
  });
});

test('every action has a name of its own, an object and a verb, and a summary without a full stop', () => {
  const actions = Object.values(all);
  expect(Object.keys(ACTIONS)).toEqual(actions.map(({ name }) => name).toSorted());
  expect(new Set(Object.keys(ACTIONS)).size).toBe(actions.length);
  for (const { name, summary } of actions) {
    expect(name).toMatch(/^[a-z]+(\.[a-z]+)+$/);
    expect(summary).toMatch(/^[A-Z].*[^.]$/);
  }
});

test.each([
  [7500, 'USD', '75.00 USD'],
  [5, 'USD', '0.05 USD'],
  [-5, 'USD', '-0.05 USD'],
  [75, 'JPY', '75 JPY'],
  [1, 'KWD', '0.001 KWD'],
  [0, 'EUR', '0.00 EUR'],
])('%d %s reads %s', (amount, currency, text) => {
  expect(moneyText({ amount, currency })).toBe(text);
});
