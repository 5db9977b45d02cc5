/** Files of a directory on an origin of their own, as any host of static pages gives them. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** A path that names no file is answered by the directory's index.html: it is a page's. */
export async function serveElsewhere(directory: string, port: number): Promise<Server> {
  const headers = headersOf(directory);
  const server = createServer(({ url = '/' }, response) => {
    const { pathname } = new URL(url, 'http://elsewhere.test');
    const name = extname(pathname) === '' ? 'index.html' : normalize(pathname);
    try {
      const body = readFileSync(join(directory, name));
      response.writeHead(200, { ...headers, 'content-type': TYPES[extname(name)] ?? 'text/plain' });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

/** Those that `_headers` has for every file: https://developers.cloudflare.com/pages/configuration/headers/ */
function headersOf(directory: string): Record<string, string> {
  try {
    const [all = ''] = readFileSync(join(directory, '_headers'), 'utf8').split('\n\n');
    const lines = [...all.matchAll(/^ {2}([\w-]+): (.*)$/gm)];
    return Object.fromEntries(lines.map(([, name = '', value = '']) => [name, value]));
  } catch {
    return {};
  }
}
