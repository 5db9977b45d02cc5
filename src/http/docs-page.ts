/**
 * The OpenAPI document as a page to read, made on the server: no script, nothing fetched.
 * https://spec.openapis.org/oas/v3.1.1.html
 */
import { PROBLEMS } from '../contract/problems.ts';
import { type Html, html, verbatim } from '../html.ts';
import { type ShownDocument, shownDocumentOf } from './docs-model.ts';
import { operationSection } from './docs-operation.ts';
import { schemaTables } from './docs-schema.ts';
import { DOCS_STYLE } from './docs-style.ts';
import { inertPolicy } from './inert-page.ts';

/** A document never changes: it is read once. */
const pages = new WeakMap<object, { readonly markup: string; readonly policy: string }>();

/** An OpenAPI 3.1 document as an HTML page, with the headers that keep it inert. */
export function docsPage(document: object): Response {
  const page = pages.get(document) ?? makePage(document);
  pages.set(document, page);
  return new Response(page.markup, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': page.policy,
    },
  });
}

function makePage(document: object): { markup: string; policy: string } {
  const policy = inertPolicy(DOCS_STYLE, "'none'");
  return { markup: pageOf(shownDocumentOf(document)).toString(), policy };
}

function pageOf(document: ShownDocument): Html {
  const { info, tags, schemas } = document;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title} API</title>
<style>${verbatim(DOCS_STYLE)}</style>
</head>
<body><div class="page">
${contents(document)}
<main>
<header>
<h1><span class="lamps" aria-hidden="true"><i></i><i></i><i></i></span>${info.title} <small>API version ${info.version}</small></h1>
<p>${info.description} The same as data: <a href="/api/openapi.json">OpenAPI 3.1</a>.</p>
</header>
${introduction()}
${tags.map(
  ({ name, operations }) =>
    html`<h2 id="${tagId(name)}">${name}</h2>${operations.map(operationSection)}`,
)}
<h2 id="schemas">Schemas</h2>
${Object.entries(schemas).map(
  ([name, schema]) => html`<section class="schema" id="schema-${name}">
    <h3><a class="here" href="#schema-${name}">${name}</a></h3>${schemaTables(schema)}</section>`,
)}
</main></div></body></html>`;
}

function contents({ tags }: ShownDocument): Html {
  return html`<nav aria-label="Contents"><ul>
<li><a class="tag" href="#start">Start here</a></li>
<li><a class="tag" href="#codes">Problem codes</a></li>
${tags.map(
  ({ name, operations }) =>
    html`<li><a class="tag" href="#${tagId(name)}">${name}</a><ul>${operations.map(
      ({ operationId, summary }) =>
        html`<li><a href="#${operationId}">${summary.split(/[;:,(]/)[0] ?? summary}</a></li>`,
    )}</ul></li>`,
)}
<li><a class="tag" href="#schemas">Schemas</a></li>
</ul></nav>`;
}

function introduction(): Html {
  return html`<section id="start" class="intro" aria-label="Start here">
<div><h2>Credentials</h2>
<p>Send <code>Authorization: Bearer &lt;key&gt;</code>. A key belongs to one tenant, and the tenant
comes from the key alone. The role <code>ingest</code> sends events and reads nothing.
<code>viewer</code> reads, <code>approver</code> approves and denies as well, and <code>admin</code>
does everything in its tenant. A key of the role <code>frontend</code> (<code>sbf_\u2026</code>) reads
flags and nothing else, so it may be published. Keys are shown once. Revoking one takes effect at the
next request.
Members may come through Cloudflare Access instead (<code>Cf-Access-Jwt-Assertion</code>).</p></div>
<div><h2>Errors</h2>
<p>Errors are <code>application/problem+json</code> (RFC 9457). Go by <code>code</code>, which does
not change; <code>errors</code> has one entry for each thing that is wrong, with its path. What
belongs to another tenant answers as if it were not there: <code>404</code>. The
<a href="#codes">codes</a> are listed below.</p></div>
<div><h2>Lists and cursors</h2>
<p>Lists are newest first. Pass <code>limit</code> (1 to 200, else 50), and go on by passing
<code>nextCursor</code> as <code>cursor</code> until it is <code>null</code>. Rows that come in
meanwhile move no page. A cursor is good for the list that gave it.</p></div>
<div><h2>Doing it once</h2>
<p>Every POST under <code>/api/admin/</code> takes an <code>Idempotency-Key</code>. The same key and
body answer with the first outcome for 24 hours, marked <code>Idempotency-Replayed: true</code>; with
another body it is a <code>409</code>. Decisions are each person's own: two people may send the same
key and body. Events are told apart by <code>source</code> and
<code>id</code>: sending one twice starts nothing twice.</p></div>
<div><h2>Request ids</h2>
<p>Every answer has an <code>X-Request-Id</code>: yours when it is 1 to 128 of
<code>A-Z a-z 0-9 . _ -</code>, else a new one. It is on each run and audit entry that the request
caused.</p></div>
<div><h2>Values</h2>
<p>Times are RFC 3339 in UTC with milliseconds. Durations read <code>30s</code>, <code>15m</code>,
<code>72h</code>, <code>7d</code>. Money is an integer in the currency\u2019s minor units. A body is at
most 1 MiB, an event 256 KiB. Fields that we do not know are an error.</p></div>
</section>
<h2 id="codes">Problem codes</h2>
<table class="codes"><tbody>${problemRows()}</tbody></table>`;
}

/** One row for each status, with an anchor that the operations point to. */
function problemRows(): readonly Html[] {
  const entries = Object.entries(PROBLEMS);
  const statuses = [...new Set(entries.map(([, [status]]) => status))];
  return statuses.map((status) => {
    const codes = entries.filter(([, [own]]) => own === status);
    const shown = codes.map(
      ([code, [, title]]) => html`<div><code>${code}</code> <small>${title}</small></div>`,
    );
    return html`<tr id="status-${status}"><th scope="row">${status}</th><td>${shown}</td></tr>`;
  });
}

function tagId(name: string): string {
  return `tag-${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
}
