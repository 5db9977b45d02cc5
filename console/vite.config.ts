/**
 * Builds the console into dist/, as `[assets]` in wrangler.toml serves it, or for another origin:
 * `SIGNALBOX_API=https://api.example.com npm run build:console`. docs/console.md
 */
import { defineConfig, type Plugin } from 'vite';

const API = process.env.SIGNALBOX_API ?? '';
const DEVELOPMENT_API = 'http://127.0.0.1:8787';
const API_PATHS = ['/api', '/.well-known'];

export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [apiOrigin(API), headersFile(API)],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // What is inlined as data: would need an exception in the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(
      // The API takes the session's cookie from its own origin alone.
      API_PATHS.map((path) => [
        path,
        { target: DEVELOPMENT_API, headers: { origin: DEVELOPMENT_API } },
      ]),
    ),
  },
});

/** Writes into the page where the API is. */
function apiOrigin(origin: string): Plugin {
  return {
    name: 'signalbox-api-origin',
    transformIndexHtml: (html) =>
      html.replace('name="signalbox-api" content=""', `name="signalbox-api" content="${origin}"`),
  };
}

/** `_headers`, which Workers assets and Pages both read: https://developers.cloudflare.com/workers/static-assets/headers/ */
function headersFile(api: string): Plugin {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self' data:",
    ["connect-src 'self'", ...(api === '' ? [] : [api, api.replace(/^http/, 'ws')])].join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
  const source = `/*
  Content-Security-Policy: ${policy}
  X-Content-Type-Options: nosniff
  Referrer-Policy: no-referrer
  Cross-Origin-Opener-Policy: same-origin
  Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()
  Strict-Transport-Security: max-age=31536000; includeSubDomains

/assets/*
  Cache-Control: public, max-age=31536000, immutable
`;
  return {
    name: 'signalbox-headers',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: '_headers', source });
    },
  };
}
