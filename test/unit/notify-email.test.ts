/** `notify.email`: what is refused when a workflow is saved, and when its templates are filled in. */
import { describe, expect, it } from 'vitest';
import { ACTION_RULES, ACTIONS } from '../../src/actions/index.ts';
import type { Json, JsonObject } from '../../src/contract/json.ts';
import { compileDefinition } from '../../src/engine/definition.ts';
import type { Email, Ports } from '../../src/ports/index.ts';
import { succeeded } from '../../src/ports/index.ts';
import { callOf } from '../fixtures/email-conformance.ts';

const MAIL = { to: 'ada@example.com', subject: 'Order 1042', text: 'Thank you.' };

/** Paths of what is wrong with the step's inputs. */
function faultsOf(input: JsonObject): string[] {
  const steps = [{ id: 'mail', action: 'notify.email', with: input }];
  const definition = { name: 'Mail', trigger: { event: 'order.created' }, steps };
  const compiled = compileDefinition(definition, ACTION_RULES);
  return compiled.ok ? [] : compiled.faults.map(({ path }) => path.replace('steps.0.with.', ''));
}

const rule = ACTION_RULES['notify.email'];
/** The same for an input whose templates are filled in. */
function filledFaults(input: Json): string[] {
  const checked = rule?.check(input);
  return checked === undefined || checked.ok ? [] : checked.faults.map(({ path }) => path);
}

describe('an input that is right', () => {
  it.each<[string, JsonObject]>([
    ['an address', {}],
    ['a name with it', { to: 'Ada Reyes <ada@example.com>' }],
    ['a list', { to: ['ada@example.com', '"Reyes, Bob" <bob@exämple.com>'] }],
    ['50 of them', { to: Array.from({ length: 50 }, (_, index) => `a${index}@example.com`) }],
    ['HTML alone', { text: '<p>', html: '<p>' }],
    ['a long subject', { subject: 'x'.repeat(989) }],
  ])('has %s', (_what, more) => {
    expect(faultsOf({ ...MAIL, ...more })).toEqual([]);
    expect(filledFaults({ ...MAIL, ...more })).toEqual([]);
  });

  it('may have templates wherever there is text', () => {
    const hole = '{{ event.data.customer.email }}';
    expect(faultsOf({ to: hole, subject: `For ${hole}`, html: `<p>${hole}</p>` })).toEqual([]);
    expect(faultsOf({ ...MAIL, to: ['ops@example.com', hole] })).toEqual([]);
    expect(faultsOf({ ...MAIL, to: '{{ event.data.emails }}' })).toEqual([]);
  });
});

describe('an input that is wrong', () => {
  it.each<[string, JsonObject, string[]]>([
    ['an address', { to: 'ada' }, ['to']],
    ['one address of a list', { to: ['ada@example.com', 'bob', '{{ event.id }}'] }, ['to.1']],
    ['an address with a line break', { to: 'ada@example.com\nBcc: x@example.com' }, ['to']],
    ['a name with a line break', { to: 'A\r\nBcc: x <ada@example.com>' }, ['to']],
    ['no address', { to: [] }, ['to']],
    ['51 addresses', { to: Array.from({ length: 51 }, () => 'ada@example.com') }, ['to']],
    ['a subject with a line break', { subject: 'Hello\r\nBcc: x@example.com' }, ['subject']],
    ['a subject with NUL', { subject: 'Hello\0' }, ['subject']],
    ['a subject with a tab', { subject: 'Hello\tthere' }, ['subject']],
    ['a subject that turns around', { subject: 'Hello \u202egnp.exe' }, ['subject']],
    ['a subject that is too long', { subject: 'x'.repeat(990) }, ['subject']],
    ['a header of its own', { cc: 'bob@example.com' }, ['cc']],
  ])('has %s: it is named when it is saved', (_what, more, paths) => {
    expect(faultsOf({ ...MAIL, ...more })).toEqual(paths);
  });

  it.each<[string, JsonObject, string]>([
    ['a subject', { subject: 'For Ada\r\nBcc: x@example.com' }, 'subject'],
    ['an address', { to: 'ada@example.com\r\nBcc: x@example.com' }, 'to'],
    ['an address in a list', { to: ['a@example.com', 'b@example.com\n'] }, 'to.1'],
    ['nothing', { to: '' }, 'to'],
  ])('%s that a template made is refused before anything is sent', (_what, more, path) => {
    expect(filledFaults({ ...MAIL, ...more })).toEqual([path]);
  });

  it('says so where there is neither text nor HTML', () => {
    expect(filledFaults({ to: 'ada@example.com', subject: 'Hi' })).toEqual(['']);
  });
});

describe('sending', () => {
  async function sent(input: JsonObject): Promise<Email> {
    const mails: Email[] = [];
    const no = async () => succeeded({});
    const ports: Ports = {
      commerce: { tagOrder: no, refundOrder: no, cancelOrder: no },
      flags: { setFlag: no },
      webhook: { send: no },
      exports: { exportOrders: no },
      email: {
        honoursKey: true,
        send: async (_call, email) => {
          mails.push(email);
          return succeeded({});
        },
      },
    };
    const event = {
      specversion: '1.0',
      ...{ id: 'e', source: '/', type: 'order.created', data: {} },
      ...{ time: '2026-03-02T00:00:00.000Z', correlationid: 'c' },
    } as const;
    await ACTIONS['notify.email']?.perform(input, { ports, call: callOf(), event });
    return mails[0] ?? { to: [], subject: '' };
  }

  it('gives both, or makes the text of the HTML', async () => {
    const html = '<p>Thank &amp; <b>you</b></p>';
    expect(await sent({ ...MAIL, html })).toMatchObject({ text: 'Thank you.', html });
    const { text: _text, ...less } = MAIL;
    expect(await sent({ ...less, html })).toMatchObject({ text: 'Thank & you', html });
    expect((await sent(MAIL)).html).toBeUndefined();
  });

  it('is never one of our own mails, which nobody can refuse', async () => {
    expect(await sent(MAIL)).not.toHaveProperty('system');
  });
});
