/** One operation of the page: what it takes, what it answers, how it is called. */

import { LIVE_PROTOCOL } from '../contract/live.ts';
import { type Html, html, joined, prose } from '../html.ts';
import { EXAMPLE_BODIES, EXAMPLE_IDS } from './docs-examples.ts';
import type { Operation, SchemaNode } from './docs-model.ts';
import { fieldRow, schemaTables, typeOf } from './docs-schema.ts';

/** Every operation takes it, and the introduction tells of it. */
const COMMON_HEADER = 'X-Request-Id';

export function operationSection(operation: Operation): Html {
  const { operationId, method, path, summary, description } = operation;
  return html`<section class="operation" id="${operationId}">
    <h3><a class="here" href="#${operationId}">${prose(summary)}</a></h3>
    <p class="line"><b class="${method}">${method.toUpperCase()}</b> <code>${brokenAtSlashes(path)}</code>
      <span class="who">${whoMayCall(operation)}</span></p>
    <div class="sides"><div>
      ${description === undefined ? null : html`<p>${prose(description)}</p>`}
      ${parameterTable(operation)}${bodyPart(operation)}${answerPart(operation)}
    </div><pre tabindex="0"><code>${exampleOf(operation)}</code></pre></div>
  </section>`;
}

/** A long path may be broken where a person would break it. */
function brokenAtSlashes(path: string): readonly Html[] {
  return path.split(/(?=\/)/).map((part) => html`${part}<wbr>`);
}

function whoMayCall({ security, 'x-role': role }: Operation): string {
  if (role !== undefined) return `role ${role}`;
  const schemes = security.flatMap((scheme) => Object.keys(scheme));
  if (schemes.includes('platform')) return 'platform token';
  return schemes.includes('vendor') ? 'the vendor’s signature' : 'anyone';
}

function parameterTable({ parameters }: Operation): Html | null {
  const shown = parameters.filter(({ name }) => name !== COMMON_HEADER);
  if (shown.length === 0) return null;
  const rows = shown.map(({ name, in: place, required, schema }) =>
    fieldRow(name, schema, required, place),
  );
  return html`<h4>Parameters</h4><table><tbody>${rows}</tbody></table>`;
}

function bodyPart({ requestBody }: Operation): Html | null {
  if (requestBody === undefined) return null;
  const types = Object.keys(requestBody.content);
  const shown = html`<h4>Body <small>${types.join(', ')}</small></h4>`;
  const schema = Object.values(requestBody.content)[0]?.schema;
  return html`${shown}${schema === undefined || isAnything(schema) ? null : schemaPart(schema)}`;
}

function answerPart({ responses }: Operation): Html {
  const entries = Object.entries(responses);
  const good = entries.filter(([status]) => /^[12]/.test(status));
  const unchanged = entries.filter(([status]) => status.startsWith('3'));
  const refusals = entries.filter(([status]) => /^[45]/.test(status));
  const links = refusals.map(
    ([status, { description }]) =>
      html`<a href="#status-${status}" title="${description}">${status}</a>`,
  );
  return html`${good.map(([status, { description, content }]) => {
    const [type, answer] = Object.entries(content)[0] ?? [];
    return html`<h4>Answer ${status} <small>${description}${type === 'application/json' ? null : html`, ${type ?? ''}`}</small></h4>
      ${answer === undefined || type !== 'application/json' ? null : schemaPart(answer.schema)}`;
  })}${unchanged.map(
    ([status, { description }]) => html`<h4>Answer ${status} <small>${description}</small></h4>`,
  )}
  <p class="refusals"><b>Refusals</b> ${joined(links, ' ')}</p>`;
}

/** A named schema is shown once, in its own section. */
function schemaPart(schema: SchemaNode): readonly Html[] {
  if (schema.$ref !== undefined) return [html`<p>${typeOf(schema)}</p>`];
  return isAnything(schema) ? [] : schemaTables(schema);
}

function isAnything(schema: SchemaNode): boolean {
  return (
    typeOf(schema).toString() === 'any JSON' ||
    Object.keys(schema.properties ?? { a: 1 }).length === 0
  );
}

/** How a program calls it. */
function exampleOf(operation: Operation): string {
  if ('101' in operation.responses)
    return `new WebSocket(\n  SIGNALBOX_URL + '${operation.path}',\n  ['${LIVE_PROTOCOL}', 'key.' + SIGNALBOX_KEY],\n)`;
  return curlOf(operation);
}

/** A command to paste, with the address and the credential in variables. */
function curlOf(operation: Operation): string {
  const { method, path, requestBody } = operation;
  const id = EXAMPLE_IDS[path];
  const filled = path.replace('{tenantId}', 'north-store').replace('{key}', 'instant-refunds');
  const url = `"$SIGNALBOX_URL${filled}${id === undefined ? '' : `?id=${id}`}"`;
  const parts = [
    `curl ${method === 'post' ? '-X POST ' : ''}${url}`,
    ...credentialOf(operation),
    ...(requestBody === undefined ? [] : [`-H 'Content-Type: application/json'`, dataOf(path)]),
  ];
  return parts.join(' \\\n  ');
}

function credentialOf({ path, security }: Operation): string[] {
  const schemes = security.flatMap((scheme) => Object.keys(scheme));
  if (schemes.includes('apiKey')) return [`-H "Authorization: Bearer $SIGNALBOX_KEY"`];
  if (schemes.includes('platform')) return [`-H "Authorization: Bearer $PLATFORM_TOKEN"`];
  if (!schemes.includes('vendor')) return [];
  return path.endsWith('/stripe')
    ? [`-H "Stripe-Signature: $SIGNATURE"`]
    : [
        `-H "X-Shopify-Hmac-Sha256: $SIGNATURE"`,
        `-H 'X-Shopify-Topic: orders/create'`,
        `-H 'X-Shopify-Shop-Domain: example.myshopify.com'`,
        `-H 'X-Shopify-Webhook-Id: b54557e4-bdd9-4b37-8a5f-bf7d70bcd043'`,
      ];
}

/** A body in single quotes, as a shell takes it; without one, the bytes that were signed. */
function dataOf(path: string): string {
  const example = EXAMPLE_BODIES[path];
  if (example === undefined) return '--data-binary @body.json';
  const shown = JSON.stringify(example, null, 2).replaceAll('\n', '\n  ');
  return `-d '${shown.replaceAll("'", `'\\''`)}'`;
}
