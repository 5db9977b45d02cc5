/** `signalbox keys rotate` against a service that answers as ours does: passes, failures, what is told. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { rotateCommand } from '../../scripts/rotate-keys/command.ts';
import {
  openVendor,
  type VendorAnswer,
  type VendorServer,
} from '../fixtures/vendors/vendor-server.ts';

const TOKEN = 'unit-platform-token-0123456789';

/** What a page of tenants comes to. */
interface Page {
  readonly resealed: number;
  readonly left?: readonly { readonly keyId: string; readonly count: number }[];
  readonly failed?: readonly string[];
}

let service: VendorServer;
/** By pass, and page by page. */
let passes: Page[][] = [];
beforeAll(async () => {
  service = await openVendor(({ headers, body, method, path }): VendorAnswer => {
    expect(`${method} ${path}`).toBe('POST /api/platform/keys/rotate');
    if (headers.authorization !== `Bearer ${TOKEN}`)
      return { status: 401, body: { detail: 'Send the platform token.' } };
    const { cursor = '0' }: { cursor?: string } = JSON.parse(body);
    const [pass = []] = passes;
    const index = Number(cursor);
    const isLast = index === pass.length - 1;
    if (isLast && passes.length > 1) passes.shift();
    const { resealed, left = [], failed = [] } = pass[index] ?? { resealed: 0 };
    return {
      status: 200,
      body: {
        ...{ keyId: 'newnewne', retiredKeyIds: ['oldoldol'], tenants: 100 },
        ...{ resealed, left, failed, nextCursor: isLast ? null : String(index + 1) },
      },
    };
  });
});
afterAll(() => service.close());

let said = '';
beforeEach(() => {
  said = '';
  service.requests.length = 0;
  for (const name of ['log', 'error'] as const)
    vi.spyOn(console, name).mockImplementation((text: string) => {
      said += `${text}\n`;
    });
  vi.stubEnv('PLATFORM_TOKEN', TOKEN);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const run = (...answers: Page[][]) => {
  passes = answers;
  return rotateCommand(['--url', service.origin]);
};
const quiet: Page[] = [{ resealed: 0 }];

describe('the command', () => {
  it('goes through all pages, and again until a pass has found nothing', async () => {
    const code = await run([{ resealed: 40 }, { resealed: 2 }], [{ resealed: 1 }], quiet);
    expect(code).toBe(0);
    expect(service.requests).toHaveLength(4);
    expect(said).toContain('Sealed anew: 43 texts. Tenants: 100. The key in use: newnewne.');
    expect(said).toContain('SEAL_KEYS_RETIRED may be removed');
  });

  it('tells what is left, by key, and that the key cannot go', async () => {
    const left = [
      { keyId: 'oldoldol', count: 3 },
      { keyId: 'lostlost', count: 2 },
    ];
    const code = await run([
      { resealed: 0, left },
      { resealed: 0, left },
    ]);
    expect(code).toBe(1);
    expect(said).toContain('6 under the key oldoldol do not open with it');
    expect(said).toContain('4 need the key lostlost, which is not in SEAL_KEYS_RETIRED');
    expect(said).not.toContain('may be removed');
  });

  it('names the tenants that could not be gone through', async () => {
    expect(await run([{ resealed: 0, failed: ['acme', 'north'] }])).toBe(1);
    expect(said).toContain('Not gone through: acme, north.');
  });

  it('gives up where texts under a former key keep coming', async () => {
    expect(await run([{ resealed: 1 }])).toBe(1);
    expect(service.requests).toHaveLength(5);
    expect(said).toContain('keep coming');
  });

  it('asks for a page again when it failed, and goes on', async () => {
    service.fail({ kind: 'answer', answer: { status: 503, body: { detail: 'Busy.' } } });
    service.fail('dropped');
    expect(await run([{ resealed: 0 }, { resealed: 0 }])).toBe(0);
    expect(service.requests).toHaveLength(4);
  });

  it('ends with what the service says when it refuses', async () => {
    vi.stubEnv('PLATFORM_TOKEN', 'another-platform-token-0123');
    await expect(run(quiet)).rejects.toThrow('answered 401: Send the platform token.');
    expect(said).not.toContain('another-platform-token');
  });

  it('follows no redirect with the token', async () => {
    service.fail('redirect');
    await expect(run(quiet)).rejects.toThrow('redirect');
    expect(service.requests).toHaveLength(1);
  });

  it('says so where something else answers', async () => {
    service.fail('garbageAfter');
    await expect(run(quiet)).rejects.toThrow('no Signalbox of this version');
  });

  it.each([
    [['--url', 'http://signalbox.example.com'], 'https only'],
    [['--url', 'nonsense'], 'no address'],
    [['--nothing'], '--nothing'],
    [['file'], 'file'],
  ])('asked with %j says what is wrong, and how to ask', async (args, words) => {
    expect(await rotateCommand(args)).toBe(2);
    expect(said).toContain(words);
    expect(said).toContain('Use: npx signalbox keys rotate');
    expect(service.requests).toEqual([]);
  });
});
