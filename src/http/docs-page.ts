/** The document as a page: made on the server, so that it needs no script and no network. */
export function docsPage(document: object): Response {
  return new Response(JSON.stringify(document));
}
