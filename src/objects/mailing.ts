/** Sends our own mails, each by itself, several at once: one that takes long holds up no other. */
import { logError } from '../log.ts';
import type { Delivering } from './delivery.ts';
import type { QueuedMail } from './mail-queue.ts';

/** So many are sent at once. */
const MAILERS_MAX = 6;
/** The alarm stands behind what is under way already: it need not come at once. */
const ALARM_GAP_MS = 1_000;

export class Mailing {
  readonly #shell: Delivering;
  #mailers = 0;

  constructor(shell: Delivering) {
    this.#shell = shell;
  }

  sendDue(): void {
    const { mails } = this.#shell.stores();
    while (this.#mailers < MAILERS_MAX) {
      const queued = mails.lease(Date.now());
      if (queued === null) return;
      this.#mailers += 1;
      this.#shell.ctx.waitUntil(this.#send(queued));
    }
  }

  /** By the connections of now: what was connected wrongly is mended for what waits, too. */
  async #send(queued: QueuedMail): Promise<void> {
    const { mails, tenant } = this.#shell.stores();
    const { mail } = queued;
    try {
      const { connections } = this.#shell.context();
      const left = await this.#shell.ctx.exports.Executor.mail(mail, connections);
      mails.settle(queued, left, Date.now());
    } catch (error) {
      mails.settle(queued, { mail, afterMs: null, blocked: false }, Date.now());
      logError({ what: 'mail_failed', tenantId: tenant.id, code: mail.kind }, error);
    } finally {
      this.#mailers -= 1;
    }
    this.sendDue();
    const due = mails.nextDue();
    if (due !== null) await this.#shell.armAt(Math.max(due, Date.now() + ALARM_GAP_MS));
  }
}
