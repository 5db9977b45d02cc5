/** By what an address is counted: one customer of a network is one, however many addresses they have. */
import { expect, test } from 'vitest';
import { clientNetwork } from '../../src/http/client-address.ts';

function networkOf(address: string): string | null {
  return clientNetwork(
    new Request('https://a.test/', { headers: { 'cf-connecting-ip': address } }),
  );
}

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:0DB8:0001:0002::9', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:db8:0:0:ffff:ffff:ffff:ffff', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['::', '0:0:0:0'],
  ['fe80::', 'fe80:0:0:0'],
  ['::ffff:192.0.2.7', '::ffff:192.0.2.7'],
])('%s is counted as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test.each(['', 'x'.repeat(46)])('%j is not counted', (address) => {
  expect(networkOf(address)).toBeNull();
});

test('nobody can be told from another where nothing tells the address', () => {
  expect(clientNetwork(new Request('https://a.test/'))).toBeNull();
});
