/** Whether exports can be written: one small object goes into the bucket, is read, and goes again. */
import type { ConnectionCheck } from '../contract/connections.ts';
import { logError } from '../log.ts';

export async function checkExports(bucket: R2Bucket, tenantId: string): Promise<ConnectionCheck[]> {
  const key = `connection-tests/${tenantId}.txt`;
  const name = 'bucket';
  try {
    await bucket.put(key, 'written by a test of the exports connection');
    const found = await bucket.get(key);
    await found?.text();
    await bucket.delete(key);
    const ok = found !== null;
    const detail = ok
      ? 'Files can be written, read and removed.'
      : 'A file that was written is not there.';
    return [{ name, ok, detail }];
  } catch (error) {
    logError({ what: 'connection_test_failed', tenantId, code: 'exports' }, error);
    return [
      { name, ok: false, detail: 'The bucket does not take files: the operator has to look.' },
    ];
  }
}
