/** Ways in which the platform gets in between: evictions, crashes, a broken store, a moved clock. */
import {
  abortAllDurableObjects,
  evictAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { vi } from 'vitest';
import { runOf, tenantOf } from './shop.ts';

export type Disturbance = 'nothing' | 'evict' | 'crash';

/** Objects lose their memory: in good order, or as in a crash. Their storage stays. */
export async function disturb(kind: Disturbance): Promise<void> {
  if (kind === 'evict') await evictAllDurableObjects();
  if (kind === 'crash') await abortAllDurableObjects();
}

/** The clock moves on; what is due then happens when alarms come. */
export function passTime(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

/** The run's alarm comes now. Fails when none was set. */
export async function ring(tenantId: string, runId: string): Promise<void> {
  if (!(await runDurableObjectAlarm(runOf(tenantId, runId)))) throw new Error('no alarm was set');
}

/** While `work` is done, nothing can be written into D1's run log and audit trail. */
export async function withoutReadModel<T>(work: () => Promise<T>): Promise<T> {
  await env.DB.batch([
    env.DB.prepare('ALTER TABLE runs RENAME TO runs_away'),
    env.DB.prepare('ALTER TABLE audit RENAME TO audit_away'),
  ]);
  try {
    return await work();
  } finally {
    await env.DB.batch([
      env.DB.prepare('ALTER TABLE runs_away RENAME TO runs'),
      env.DB.prepare('ALTER TABLE audit_away RENAME TO audit'),
    ]);
  }
}

/** While `work` is done, every call of the tenant's object that needs its tables fails. */
export async function withoutTenant<T>(tenantId: string, work: () => Promise<T>): Promise<T> {
  await renameTable(tenantId, 'settings', 'settings_away');
  try {
    return await work();
  } finally {
    await renameTable(tenantId, 'settings_away', 'settings');
  }
}

async function renameTable(tenantId: string, from: string, to: string): Promise<void> {
  await runInDurableObject(tenantOf(tenantId), (_, { storage }) => {
    storage.sql.exec(`ALTER TABLE ${from} RENAME TO ${to}`);
  });
  await evictDurableObject(tenantOf(tenantId));
}
