/** An admin who changes everything all the time: workflows, policy, flags, keys, members, limits. */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { flagState } from '../../src/contract/flags.ts';
import { workflow } from '../../src/contract/workflows.ts';
import type { Caller, Reply } from './caller.ts';
import type { Chance } from './chance.ts';
import { editedWorkflow, RUNS_IN_FLIGHT, type Shop } from './shop.ts';
import type { Operation } from './story.ts';

const oneWorkflow = z.object({ workflow });
const oneKey = z.object({ apiKey: z.object({ id: z.string() }) });
const oneFlag = z.object({ flag: flagState });

export interface Editing {
  readonly shop: Shop;
  readonly caller: Caller;
  readonly chance: Chance;
  readonly platformToken: string;
  /** Where the edited workflow sends to. */
  readonly url: string;
}

export class Editor {
  readonly #editing: Editing;
  #edition = 0;

  constructor(editing: Editing) {
    this.#editing = editing;
  }

  async editOnce(): Promise<void> {
    const edit = this.#editing.chance.weighted<() => Promise<unknown>>([
      [5, () => this.#editWorkflow()],
      [5, () => this.#switchWorkflow()],
      [2, () => this.#addWorkflow()],
      [4, () => this.#changePolicy()],
      [6, () => this.#setFlag()],
      [3, () => this.#changeKeys()],
      [2, () => this.#addMember()],
      [1, () => this.#changeLimits()],
      [1, () => this.#askForCheckpoint()],
    ]);
    await edit();
  }

  async #editWorkflow(): Promise<void> {
    const { shop, caller, url } = this.#editing;
    const path = `/api/admin/workflows/get?id=${shop.edited}`;
    const read = await caller.read(shop.keys.admin, path, oneWorkflow);
    if (read === null) return;
    this.#edition += 1;
    const body = { ...editedWorkflow(url, this.#edition), id: shop.edited };
    await this.#ask('workflow', '/api/admin/workflows/update', 'workflow.updated', {
      ...body,
      version: read.workflow.version,
    });
  }

  /** Saying it twice is fine, and is told once. */
  async #switchWorkflow(): Promise<void> {
    const { shop, chance } = this.#editing;
    const isOn = chance.happens(0.7);
    const verb = isOn ? 'enable' : 'disable';
    const action = `workflow.${verb}d`;
    await this.#ask('workflow', `/api/admin/workflows/${verb}`, action, { id: shop.edited }, 0);
  }

  async #addWorkflow(): Promise<void> {
    const body = { ...editedWorkflow(this.#editing.url, 0), name: `Never on ${randomUUID()}` };
    await this.#ask('workflow', '/api/admin/workflows/create', 'workflow.created', body);
  }

  async #changePolicy(): Promise<void> {
    const { chance } = this.#editing;
    const actions = {
      'order.refund': {
        approvals: chance.between(1, 2),
        edit: chance.oneOf(['approver', 'admin']),
      },
      'flag.enable': { approvals: chance.between(1, 3) },
      'export.orders': { reasonRequired: chance.happens(0.5) },
    };
    const path = '/api/admin/approval-policy/update';
    await this.#ask('policy', path, 'policy.updated', { actions });
  }

  async #setFlag(): Promise<void> {
    const { chance } = this.#editing;
    const body = { key: `flag-${chance.between(0, 30)}`, enabled: chance.happens(0.5) };
    const reply = await this.#ask('flag', '/api/admin/flags/set', 'flag.set', body, 0);
    if (reply.outcome === 'ok') oneFlag.parse(reply.body);
  }

  async #changeKeys(): Promise<void> {
    const body = { name: 'For a moment', role: 'viewer' };
    const made = await this.#ask('key', '/api/admin/api-keys/create', 'api_key.created', body);
    if (made.outcome !== 'ok') return;
    const { id } = oneKey.parse(made.body).apiKey;
    await this.#ask('key', '/api/admin/api-keys/revoke', 'api_key.revoked', { id });
  }

  async #addMember(): Promise<void> {
    const email = `${randomUUID()}@example.com`;
    const body = { name: 'Somebody', email, role: 'viewer' };
    await this.#ask('member', '/api/admin/members/create', 'member.created', body);
  }

  async #changeLimits(): Promise<void> {
    const { shop, caller, chance, platformToken: key } = this.#editing;
    const body = { id: shop.id, limits: { runsInFlight: chance.between(...RUNS_IN_FLIGHT) } };
    const audit = { action: 'limits.updated', least: 1 };
    const asked = { tenantId: shop.id, kind: 'limits', subject: shop.id, audit };
    await caller.ask(asked, { key, path: '/api/platform/tenants/limits', body });
  }

  async #askForCheckpoint(): Promise<void> {
    const { shop, caller } = this.#editing;
    const path = '/api/admin/audit/checkpoint';
    await caller.request({ key: shop.keys.admin, path, body: {} });
  }

  async #ask(
    kind: Operation['kind'],
    path: string,
    action: string,
    body: object,
    least = 1,
  ): Promise<Reply> {
    const { shop, caller, chance } = this.#editing;
    const asked = { tenantId: shop.id, kind, subject: path, audit: { action, least } };
    const keyed = chance.happens(0.4);
    return await caller.ask({ ...asked, keyed }, { key: shop.keys.admin, path, body });
  }
}
