/** `flag.enable` and `flag.disable`: switch a feature flag. Saying it twice is fine. */
import * as z from 'zod';
import { flagKey } from '../contract/flags.ts';
import { later } from '../contract/later.ts';
import { type Action, defineAction } from './define.ts';

const input = later(() => z.strictObject({ key: flagKey }));

export const flagEnable = flagAction('flag.enable', 'Switch a feature flag on', true);
export const flagDisable = flagAction('flag.disable', 'Switch a feature flag off', false);

function flagAction(name: string, summary: string, enabled: boolean): Action {
  return defineAction({
    name,
    summary,
    risk: 'config',
    input,
    describe: ({ key }) => `Switch the flag ${key} ${enabled ? 'on' : 'off'}`,
    run: ({ key }, { ports, call }) => ports.flags.setFlag(call, { key, enabled }),
  });
}
