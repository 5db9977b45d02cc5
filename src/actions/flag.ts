/** `flag.enable` and `flag.disable`: switch a feature flag. Saying it twice is fine. */
import * as z from 'zod';
import { type Action, defineAction } from './define.ts';

const input = z.strictObject({
  key: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/, '1 to 100 of A-Z, a-z, 0-9, dot, _ and -'),
});

export const flagEnable = flagAction('flag.enable', 'Switch a feature flag on', true);
export const flagDisable = flagAction('flag.disable', 'Switch a feature flag off', false);

function flagAction(name: string, summary: string, enabled: boolean): Action {
  return defineAction({
    name,
    summary,
    risk: 'config',
    input,
    describe: ({ key }) => `Switch the flag ${key} ${enabled ? 'on' : 'off'}`,
    run: ({ key }, { ports, call }) => ports.flags.setFlag(call, key, enabled),
  });
}
