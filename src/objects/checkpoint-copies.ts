/**
 * A signed checkpoint leaves for three places, each on its own: D1, an object in R2, and a mail to
 * every admin. Whoever keeps one is a witness whom the log cannot overrule.
 */
import type { AuditCheckpoint } from '../contract/checkpoints.ts';
import type { Env } from '../env.ts';
import { log } from '../log.ts';
import type { SealedConnection } from '../ports/connections.ts';
import type { PortEnv } from '../ports/open.ts';
import type { NoticeRecipient } from './messages.ts';
import { oneLine, timeText } from './notice-words.ts';
import { type Left, type Letter, sendLetter } from './own-mail.ts';
import type { Stores } from './stores.ts';

export const STORED_CHECKPOINTS = 'checkpoints:store';

/** A checkpoint on its way out. */
export interface CheckpointCopy {
  readonly tenant: { readonly id: string; readonly name: string };
  readonly checkpoint: AuditCheckpoint;
}
/** For one admin: a mail that fails is tried again without the others. */
export interface CheckpointMail extends CheckpointCopy {
  readonly to: NoticeRecipient;
}

const SIZE_DIGITS = 12;
/** A mail that could not be sent for so long must not be tried for ever. */
const KEPT_MS = 7 * 24 * 3_600_000;

/** Inside the transaction that stores the checkpoint. */
export function putCheckpoint(stores: Stores, checkpoint: AuditCheckpoint): void {
  const { outbox, parcels, mails, members } = stores;
  const { id, name } = stores.tenant;
  const copy: CheckpointCopy = { tenant: { id, name }, checkpoint };
  parcels.put({ checkpoints: [checkpoint] });
  outbox.put(STORED_CHECKPOINTS, copy);
  for (const { id: memberId, name, email, role } of members.live())
    if (role === 'admin')
      mails.put({ kind: 'checkpoint', checkpoint: { ...copy, to: { memberId, name, email } } });
}

/** The object's key in R2: they sort by size. */
export function checkpointKey(tenantId: string, size: number): string {
  return `audit/${tenantId}/${String(size).padStart(SIZE_DIGITS, '0')}.txt`;
}

/** Puts the note into R2. One that is there already stays as it is. */
export async function storeCheckpoint(
  { EXPORTS }: Pick<Env, 'EXPORTS'>,
  { tenant, checkpoint }: CheckpointCopy,
): Promise<void> {
  await EXPORTS.put(checkpointKey(tenant.id, checkpoint.size), checkpoint.note, {
    onlyIf: { etagDoesNotMatch: '*' },
    httpMetadata: { contentType: 'text/plain; charset=utf-8' },
  });
}

/** Mails the note. @returns what remains to be sent, if anything */
export async function mailCheckpoint(
  env: PortEnv,
  mail: CheckpointMail,
  connections: readonly SealedConnection[],
): Promise<Left | null> {
  const { tenant, checkpoint, to } = mail;
  const told = { tenantId: tenant.id, count: checkpoint.size };
  if (Date.now() - Date.parse(checkpoint.at) > KEPT_MS) {
    log({ what: 'checkpoint_mail_dropped', ...told });
    return null;
  }
  const idempotencyKey = `${tenant.id}_checkpoint-${checkpoint.size}_${to.memberId}`;
  const about = { what: 'checkpoint_mail_failed', ...told };
  const letter = { to, mail: emailOf(mail), idempotencyKey, about };
  const fate = await sendLetter(env, letter, connections);
  return fate && { ...fate, mail: { kind: 'checkpoint', checkpoint: { ...mail, to: fate.to } } };
}

/** Plain text alone, and the note at its end as it is: it is there to be copied. */
function emailOf({ tenant, checkpoint, to }: CheckpointMail): Letter['mail'] {
  const { size, at, note } = checkpoint;
  const name = oneLine(tenant.name);
  const text = `Hello ${oneLine(to.name)},

this is the signed checkpoint over the first ${size} entries of the audit log of ${name} (${tenant.id}), made ${timeText(at)}.

Please keep this mail. Nobody can change those entries, drop one or cut them off without contradicting it, and nobody but you can take your copy away. To check an export of the log, save the lines below as a file, from the one that begins with "${originLine(note)}" to the last one:

  npx signalbox audit verify export.ndjson --keys keys.json --checkpoint FILE

${note}`;
  return { subject: `Audit checkpoint of ${name}: ${size} entries`, text };
}

function originLine(note: string): string {
  return note.slice(0, note.indexOf('\n'));
}
