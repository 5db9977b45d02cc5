/** The plain text that is made of a mail's HTML: what a reader needs, none of the markup, in no time. */
import { describe, expect, it } from 'vitest';
import { textFromHtml } from '../../src/ports/text-from-html.ts';

it('a whole mail reads as one', () => {
  const html = `<!doctype html><html><head><meta charset="utf-8"><title>Order</title>
<style>p > a { color: red }</style></head><body><!-- <p>hidden</p> -->
<h1>Order&nbsp;1042</h1>
<p>Dear Ada &amp; Bob,<br>thank  you.
It left <b>today</b>.</p>
<ul><li>2 × Mug</li><li>1 × Cup</li></ul>
<table><tr><th>Total</th><td>75.00 &euro;</td></tr></table>
<p><a href="https://shop.example.com/o/1042?a=1&amp;b=2">See your order</a> or write to
<a href='mailto:help@shop.example.com'>help@shop.example.com</a>.</p>
<img src=x alt="The shop"><script>if (a < b) alert("</p>")</script></body></html>`;
  expect(textFromHtml(html)).toBe(`Order 1042

Dear Ada & Bob,
thank you. It left today.

- 2 × Mug

- 1 × Cup

Total 75.00 €

See your order (https://shop.example.com/o/1042?a=1&b=2) or write to help@shop.example.com.

The shop`);
});

describe('markup', () => {
  it.each([
    ['&lt;b&gt; &#60; &#x3C; &quot;', '<b> < < "'],
    ['&bogus; &amp;lt; &#0; &#xD800; &toString;', '&bogus; &lt; &toString;'],
    ['1 < 2 and 3 > 2', '1 < 2 and 3 > 2'],
    ['<p title="a > b">x</p>', 'x'],
    ['<a href="javascript:alert(1)">x</a>', 'x'],
    ['<a href="https://a.example.com">https://a.example.com</a>', 'https://a.example.com'],
    ['<a>x</a></a>', 'x'],
    ['<p>x</p', 'x'],
    ['<style>p{}', ''],
    ['<img src="x.png">', ''],
    ['a<!-- b', 'a'],
    ['a<?xml b?>c', 'ac'],
    ['plain', 'plain'],
    ['', ''],
  ])('%s', (html, text) => {
    expect(textFromHtml(html)).toBe(text);
  });

  it.each([
    ...[
      '<',
      '<a ',
      '<a "',
      '<a href="',
      "<a href='x",
      '<!--',
      '<p',
      '<style>',
      '<a>',
      '&#',
      ' ',
      '</',
    ],
  ])('as much of %j as a mail may have takes no time', (piece) => {
    const html = piece.repeat(100_000 / piece.length);
    const begun = performance.now();
    textFromHtml(html);
    expect(performance.now() - begun).toBeLessThan(3_000);
  });
});
