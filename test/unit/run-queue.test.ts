/** In which order runs are given out. */
import { describe, expect, test } from 'vitest';
import { RunQueue } from '../../src/objects/run-queue.ts';

function queueOf(...runs: readonly string[]): RunQueue {
  const queue = new RunQueue();
  for (const runId of runs) queue.put({ runId, workflowId: runId.slice(0, 1) });
  return queue;
}

function drained(queue: RunQueue): string[] {
  const runIds: string[] = [];
  for (let runId = queue.next(); runId !== null; runId = queue.next()) runIds.push(runId);
  return runIds;
}

describe('runs that nobody is at work on', () => {
  test('leave in the order in which they came', () => {
    const queue = queueOf('a1', 'b1', 'a2');
    expect(queue.size).toBe(3);
    expect(drained(queue)).toEqual(['a1', 'b1', 'a2']);
    expect(queue.isEmpty()).toBe(true);
    expect(queue.takeApart(6)).toBeNull();
  });

  test('leave by themselves when their workflow is set apart, also those that came before', () => {
    const queue = queueOf('a1', 'b1', 'a2');
    queue.setApart('a');
    queue.put({ runId: 'a3', workflowId: 'a' });
    expect(drained(queue)).toEqual(['b1']);
    expect(queue.isEmpty()).toBe(false);
    expect(queue.takeApart(2)).toEqual({ workflowId: 'a', runIds: ['a3', 'a1'] });
    expect(queue.takeApart(2)).toEqual({ workflowId: 'a', runIds: ['a2'] });
    expect(queue.isEmpty()).toBe(true);
  });

  test('take turns by workflow while several are set apart', () => {
    const queue = new RunQueue();
    for (const workflowId of ['a', 'b']) queue.setApart(workflowId);
    for (const runId of ['a1', 'a2', 'b1', 'b2'])
      queue.put({ runId, workflowId: runId.slice(0, 1) });
    const turns = Array.from({ length: 4 }, () => queue.takeApart(1)?.runIds.join());
    expect(turns).toEqual(['a1', 'b1', 'a2', 'b2']);
  });

  test('leave with the others again once their workflow keeps nobody waiting', () => {
    const queue = queueOf('b1');
    queue.setApart('a');
    queue.put({ runId: 'a1', workflowId: 'a' });
    queue.rejoin('a');
    queue.put({ runId: 'a2', workflowId: 'a' });
    expect(drained(queue)).toEqual(['b1', 'a1', 'a2']);
  });
});
