/** The guard on outgoing URLs: what may pass, and the spellings by which people get past such guards. */
import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAllowedHost } from '../../src/contract/allowed-hosts.ts';
import type { SealedConnection } from '../../src/ports/connections.ts';
import {
  checkDestination,
  type DestinationRules,
  destinationRules,
} from '../../src/ports/destination.ts';

const PRODUCTION: DestinationRules = {
  allowLoopbackHttp: false,
  ownHosts: ['signalbox.example.org'],
  allowed: null,
};
const DEVELOPMENT: DestinationRules = {
  allowLoopbackHttp: true,
  ownHosts: ['localhost:8787'],
  allowed: null,
};

function reasonFor(url: string, rules = PRODUCTION): string | null {
  const check = checkDestination(url, rules);
  return check.ok ? null : check.reason;
}

function hrefOf(url: string, rules = PRODUCTION): string | null {
  const check = checkDestination(url, rules);
  return check.ok ? check.url.href : null;
}

describe('in production', () => {
  it.each([
    ['https://example.com/hook', 'https://example.com/hook'],
    ['https://example.com', 'https://example.com/'],
    ['https://example.com:443/hook?a=1&b=%20', 'https://example.com/hook?a=1&b=%20'],
    ['HTTPS://Hooks.EXAMPLE.com/A', 'https://hooks.example.com/A'],
    ['https://例え.jp/', 'https://xn--r8jz45g.jp/'],
    ['https://mylocal.example.com/', 'https://mylocal.example.com/'],
    ['https://internal.example.com/', 'https://internal.example.com/'],
    ['https://contest.io/', 'https://contest.io/'],
    ['https://10.example.com/', 'https://10.example.com/'],
    ['https://under_score.example.com/', 'https://under_score.example.com/'],
  ])('allows %s', (url, href) => {
    expect(hrefOf(url)).toBe(href);
  });

  it('strips one trailing dot and then judges the name again', () => {
    expect(hrefOf('https://example.com./hook')).toBe('https://example.com/hook');
    expect(reasonFor('https://localhost./')).toContain('private');
    expect(reasonFor('https://metadata.google.internal./')).toContain('private');
    expect(reasonFor('https://signalbox.example.org./')).toContain('loop');
    expect(reasonFor('https://example.com../')).toContain('not valid');
    expect(reasonFor('https://127.0.0.1../')).toContain('IP address');
  });

  it.each([
    '127.0.0.1',
    '10.0.0.1',
    '169.254.169.254',
    '168.63.129.16',
    '100.64.0.1',
    '8.8.8.8',
    '0.0.0.0',
    '0',
    '1',
    '127.1',
    '127.0.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '017700000001',
    '0177.0.0.1',
    '127.0.0.1.',
    '①②⑦.0.0.1',
    '１２７.0.0.1',
    '127。0。0。1',
    '%31%32%37.0.0.1',
    '[::]',
    '[::1]',
    '[::127.0.0.1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[2001:0:7f00:1::]',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '[2606:4700:4700::1111]',
  ])('refuses the IP address %s', (host) => {
    expect(reasonFor(`https://${host}/`)).toContain('IP address');
    expect(reasonFor(`https://${host}:8443/`)).toContain('IP address');
  });

  it.each([
    'localhost',
    'LOCALHOST',
    'ⓛocalhost',
    'a.localhost',
    'printer.local',
    'metadata.google.internal',
    'router.lan',
    'nas.home.arpa',
    'wiki.corp',
    'nas.home',
    'sender.test',
    'nothing.invalid',
    'abcdefghijklmnop.onion',
    '1.0.0.127.in-addr.arpa',
    '1.0.ip6.arpa',
    'ipv4only.arpa',
    'localhost.localdomain',
  ])('refuses the private or reserved name %s', (host) => {
    expect(reasonFor(`https://${host}/`)).toContain('private or reserved');
  });

  it.each([
    ['http://example.com/', 'https://'],
    ['http://127.0.0.1/', 'https://'],
    ['ftp://example.com/', 'https://'],
    ['file:///etc/passwd', 'https://'],
    ['data:text/plain,hello', 'https://'],
    ['javascript:alert(1)', 'https://'],
    ['blob:https://example.com/1', 'https://'],
    ['wss://example.com/', 'https://'],
    ['', 'complete URL'],
    ['/hook', 'complete URL'],
    ['//example.com/hook', 'complete URL'],
    ['example.com/hook', 'complete URL'],
    ['https://', 'complete URL'],
    ['https://256.1.1.1/', 'complete URL'],
    ['https://[fe80::1%25eth0]/', 'complete URL'],
    ['https://example.com:99999/', 'complete URL'],
    ['https://user@example.com/', 'user name or a password'],
    ['https://user:pw@example.com/', 'user name or a password'],
    ['https://:pw@example.com/', 'user name or a password'],
    ['https://example.com@127.0.0.1/', 'user name or a password'],
    ['https://example.com/#top', 'fragment'],
    ['https://example.com/#', 'fragment'],
    ['https://example.com:8443/', 'Port 8443'],
    ['https://example.com:80/', 'Port 80'],
    ['https://example.com:22/', 'Port 22'],
    ['https://example.com:0/', 'Port 0'],
    ['https://intranet-server/', 'no domain'],
    ['https://com/', 'no domain'],
    ['https://a..example.com/', 'not valid'],
    ['https://.example.com/', 'not valid'],
    ['https://./', 'not valid'],
    ['https://-a.example.com/', 'not valid'],
    ["https://a'b.example.com/", 'not valid'],
    ['https://example.com\\@127.0.0.1/', 'backslash'],
    [' https://example.com/', 'space'],
    ['https://example.com/a b', 'space'],
    ['ht\ntps://example.com/', 'control character'],
    ['https://exam\tple.com/', 'control character'],
    ['https://example.com/\u0000', 'control character'],
  ])('refuses %j and says why', (url, why) => {
    expect(reasonFor(url)).toContain(why);
  });

  it('takes 2,048 characters and not one more', () => {
    const longest = 'https://example.com/'.padEnd(2_048, 'a');
    expect(reasonFor(longest)).toBeNull();
    expect(reasonFor(`${longest}a`)).toContain('longer than 2,048');
  });

  it('refuses labels above 63 characters and names above 253', () => {
    expect(reasonFor(`https://${'a'.repeat(63)}.com/`)).toBeNull();
    expect(reasonFor(`https://${'a'.repeat(64)}.com/`)).toContain('not valid');
    expect(reasonFor(`https://${'a.'.repeat(125)}com/`)).toBeNull();
    expect(reasonFor(`https://${'a.'.repeat(126)}com/`)).toContain('not valid');
  });

  it('refuses our own host, in any case, and what is below it, but not its neighbours', () => {
    expect(reasonFor('https://SIGNALBOX.example.org/api/events')).toContain('loop');
    expect(reasonFor('https://signalbox.example.org:8443/')).toContain('loop');
    expect(reasonFor('https://eu.signalbox.example.org/')).toContain('loop');
    expect(reasonFor('https://notsignalbox.example.org/')).toBeNull();
    expect(reasonFor('https://example.org/')).toBeNull();
  });

  it('never repeats a password in its reason', () => {
    expect(reasonFor('https://user:hunter2@example.com/')).not.toContain('hunter2');
  });
});

describe("a tenant's own list", () => {
  const listing = (...allowed: string[]): DestinationRules => ({ ...PRODUCTION, allowed });

  it.each<[string[], string]>([
    [['hooks.example.com'], 'https://hooks.example.com/a'],
    [['hooks.example.com'], 'https://hooks.example.com:443/a'],
    [['hooks.example.com'], 'https://HOOKS.example.com./a'],
    [['hooks.example.com:443'], 'https://hooks.example.com/a'],
    [['hooks.example.com:8443'], 'https://hooks.example.com:8443/a'],
    [['*.example.com'], 'https://a.b.example.com/'],
    [['*.example.com:9443'], 'https://a.example.com:9443/'],
    [['*'], 'https://anything.example.net/'],
    [['*', 'hooks.example.com:8443'], 'https://hooks.example.com:8443/'],
    [['xn--r8jz45g.jp'], 'https://例え.jp/'],
  ])('%j lets %s pass', (allowed, url) => {
    expect(reasonFor(url, listing(...allowed))).toBeNull();
  });

  it.each<[string[], string]>([
    [['hooks.example.com'], 'https://example.com/'],
    [['hooks.example.com'], 'https://a.hooks.example.com/'],
    [['hooks.example.com'], 'https://hooks.example.com.evil.example/'],
    [['hooks.example.com'], 'https://evilhooks.example.com/'],
    [['hooks.example.com'], 'https://hooks.example.com:8443/'],
    [['hooks.example.com:8443'], 'https://hooks.example.com/'],
    [['*.example.com'], 'https://example.com/'],
    [['*.example.com'], 'https://notexample.com/'],
    [['*'], 'https://hooks.example.com:8443/'],
    [['example.com'], 'https://example.com@127.0.0.1/'],
    [['*:8443'], 'https://8.8.8.8:8443/'],
    [['*'], 'https://127.0.0.1/'],
    [['*.internal'], 'https://metadata.google.internal/'],
    [['*.example.org'], 'https://signalbox.example.org/'],
  ])('%j keeps %s out', (allowed, url) => {
    expect(reasonFor(url, listing(...allowed))).not.toBeNull();
  });

  it.each([
    'hooks.example.com',
    'hooks.example.com:443',
    'hooks.example.com:1024',
    'hooks.example.com:65535',
    '*.example.com:8443',
    '*',
    '*:8443',
    'xn--r8jz45g.jp',
  ])('may hold %s', (entry) => {
    expect(isAllowedHost(entry)).toBe(true);
  });

  it.each([
    '',
    'localhost',
    'https://hooks.example.com',
    'hooks.example.com/',
    'hooks.example.com:',
    'hooks.example.com:0',
    'hooks.example.com:22',
    'hooks.example.com:080',
    'hooks.example.com:65536',
    'a.*.example.com',
    '**.example.com',
    'hooks.example.com other.example.com',
    'user@hooks.example.com',
    '[::1]:8443',
    '例え.jp',
  ])('may not hold %j', (entry) => {
    expect(isAllowedHost(entry)).toBe(false);
  });

  it('comes with the tenant’s connections, and what is ours with the deployment', () => {
    const env = { ENVIRONMENT: 'production', OWN_HOSTS: ' a.example.com, ,b.example.com' };
    const listed: SealedConnection = {
      kind: 'destinations',
      settings: { allow: 'hooks.example.com *.example.net:8443' },
      secrets: {},
      updatedAt: '2026-01-31T12:00:00.000Z',
    };
    expect(destinationRules(env, []).allowed).toBeNull();
    expect(destinationRules(env, [listed]).allowed).toEqual([
      'hooks.example.com',
      '*.example.net:8443',
    ]);
    const known = destinationRules({ ...env, PUBLIC_URL: 'https://c.example.com' }, []);
    expect(known.ownHosts).toEqual(['a.example.com', 'b.example.com', 'c.example.com']);
    expect(reasonFor('https://c.example.com/api/events', known)).toContain('loop');
    expect(destinationRules({ ...env, PUBLIC_URL: '' }, []).ownHosts).toHaveLength(2);
  });
});

describe('in development', () => {
  it.each([
    ['http://127.0.0.1:9000/sink', 'http://127.0.0.1:9000/sink'],
    ['http://127.9.9.9/', 'http://127.9.9.9/'],
    ['http://2130706433:81/', 'http://127.0.0.1:81/'],
    ['http://[::1]:9000/', 'http://[::1]:9000/'],
    ['http://localhost:3000/', 'http://localhost:3000/'],
    ['http://localhost.:3000/', 'http://localhost:3000/'],
    ['https://localhost:3000/', 'https://localhost:3000/'],
    ['https://example.com/hook', 'https://example.com/hook'],
  ])('allows %s', (url, href) => {
    expect(hrefOf(url, DEVELOPMENT)).toBe(href);
  });

  it.each([
    'http://example.com/',
    'https://example.com:3000/',
    'http://10.0.0.1/',
    'https://10.0.0.1/',
    'http://192.168.1.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://0.0.0.0/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::127.0.0.1]/',
    'http://127.0.0.1.example.com/',
    'http://a.localhost/',
    'http://user:pw@127.0.0.1/',
    'ftp://127.0.0.1/',
  ])('still refuses %s', (url) => {
    expect(reasonFor(url, DEVELOPMENT)).not.toBeNull();
  });

  it('refuses our own origin, yet allows other ports of the same machine', () => {
    expect(reasonFor('http://localhost:8787/api/events', DEVELOPMENT)).toContain('loop');
    expect(reasonFor('http://localhost:8788/', DEVELOPMENT)).toBeNull();
  });
});

describe('for any input', () => {
  const numericHost = fc
    .array(
      fc.oneof(
        fc.nat(),
        fc.nat().map((n) => `0x${n.toString(16)}`),
      ),
      {
        minLength: 1,
        maxLength: 5,
      },
    )
    .map((parts) => parts.join('.'));
  const anyHost = fc.oneof(
    fc.domain(),
    fc.ipV4(),
    fc.ipV4Extended(),
    fc.ipV6().map((ip) => `[${ip}]`),
    numericHost,
    fc.string({ unit: 'binary', maxLength: 12 }),
  );
  const anyUrl = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    fc
      .tuple(fc.constantFrom('https', 'http', 'ftp'), anyHost)
      .map(([s, host]) => `${s}://${host}/`),
  );

  it('never throws, and what it allows is https to a dotted name that is no address', () => {
    fc.assert(
      fc.property(anyUrl, (text) => {
        const check = checkDestination(text, PRODUCTION);
        if (!check.ok) {
          expect(check.reason).toMatch(/^The .*\.$|^This .*\.$|^Port .*\.$/);
          return;
        }
        const { protocol, hostname, port, username, password, hash } = check.url;
        expect({ protocol, username, password, hash }).toEqual({
          protocol: 'https:',
          username: '',
          password: '',
          hash: '',
        });
        expect(port).toBe('');
        expect(hostname).toMatch(/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/);
        expect(isIP(hostname)).toBe(0);
      }),
      { numRuns: 2_000 },
    );
  });

  it('allows again what it has allowed: the URL it hands back is a fixed point', () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ['https'] }), (text) => {
        const check = checkDestination(text, PRODUCTION);
        if (check.ok) expect(hrefOf(check.url.href)).toBe(check.url.href);
      }),
    );
  });
});
