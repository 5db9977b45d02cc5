/** What the bench makes of what it has seen: the parts of it that are pure. */
import { describe, expect, it } from 'vitest';
import { pastRun, rewritten } from '../../bench/support/past-run.ts';
import { functionsOf, sharesOf } from '../../bench/support/profile-areas.ts';
import { mean, median, quantile, shown, spread } from '../../bench/support/statistics.ts';

describe('statistics', () => {
  it('take the value of the nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
    expect([0.5, 0.99, 1].map((part) => quantile(hundred, part))).toEqual([50, 99, 100]);
    expect(quantile([7], 0.99)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('find the middle of odd and even numbers of values', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
    expect(mean([1, 2, 6])).toBe(3);
  });

  it('are shown with three digits', () => {
    expect([1410.4, 36.24, 5.151, 0.0421, 0, Number.NaN].map(shown)).toEqual([
      ...['1,410', '36.2', '5.15', '0.042', '0', '—'],
    ]);
    expect(spread([5, 1, 3])).toBe('3 (1–5)');
    expect(spread([5])).toBe('5');
  });
});

describe('a made-up history', () => {
  const model = {
    ids: ['evt_00000000000070008000000000000001', 'run_00000000000070008000000000000002', 'm-0'],
    round: 'm',
    workflowIds: ['wf_1', 'wf_2'],
  };
  const begun = Date.UTC(2026, 0, 1);

  it('has ids that sort by time, in the form of the real ones', () => {
    const ids = [0, 1, 999_999].map((n) => pastRun(n, begun, 2_592).hex);
    expect(ids.toSorted()).toEqual(ids);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{12}7[0-9a-f]{3}8[0-9a-f]{15}$/);
  });

  it('puts new ids and times for the model’s, in texts too', () => {
    const past = pastRun(7, begun, 1_000);
    const of = (table: string, column: string, value: string) =>
      rewritten(table, column, value, model, past);
    const run = `run_${past.hex}`;
    expect(of('run_entries', 'run_id', model.ids[1] ?? '')).toBe(run);
    expect(of('run_entries', 'entries', `[{"key":"${model.ids[1]}_send"}]`)).toBe(
      `[{"key":"${run}_send"}]`,
    );
    expect(of('events', 'event_id', 'm-0')).toBe('past-7');
    expect(of('events', 'request_id', 'm')).toBe('past-7');
    expect(of('events', 'received_at', '2026-05-05T00:00:00.000Z')).toBe(past.at);
    expect(of('deliveries', 'id', 'dlv_00000000000070008000000000000009')).toBe(`dlv_${past.hex}`);
    expect(of('events', 'type', 'order.created')).toBe('order.created');
  });

  it('lets one run in a hundred fail, and gives some to another workflow', () => {
    const of = (n: number, column: string, value: string) =>
      rewritten('runs', column, value, model, pastRun(n, begun, 1_000));
    const numbers = Array.from({ length: 300 }, (_, n) => n);
    const failed = numbers.filter((n) => of(n, 'status', 'succeeded') === 'failed');
    expect(failed).toEqual([0, 100, 200]);
    expect(numbers.filter((n) => of(n, 'workflow_id', 'wf_1') === 'wf_2')).toHaveLength(100);
  });
});

describe('a profile', () => {
  const frame = (functionName: string, url = 'worker.js', lineNumber = 0) => ({
    ...{ functionName, url, lineNumber, columnNumber: 0 },
  });
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(root)', ''), children: [2, 5, 6] },
      { id: 2, callFrame: frame('handle', 'worker.js', 10), children: [3] },
      { id: 3, callFrame: frame('admit', 'worker.js', 20), children: [4] },
      { id: 4, callFrame: frame('stringify', ''), children: [] },
      { id: 5, callFrame: frame('(idle)', ''), children: [] },
      { id: 6, callFrame: frame('(garbage collector)', ''), children: [] },
    ],
    samples: [2, 4, 5, 6, 4],
    timeDeltas: [200, 300, 90_000, 100, 90_000],
  };
  const originOf = ({
    functionName: name,
    lineNumber,
  }: {
    functionName: string;
    lineNumber: number;
  }) => ({
    source: { 10: 'src/http/router.ts', 20: 'src/objects/admission.ts' }[lineNumber] ?? '',
    name,
  });
  const areas = [
    { name: 'admission', files: /admission/, functions: /^admit$/ },
    { name: 'router', files: /http/ },
  ];

  it('gives each sample to the nearest area above it, and none to idleness', () => {
    // The last sample came after a wait, so it counts as a millisecond at most.
    expect(sharesOf(profile, originOf, areas)).toEqual([
      { name: 'admission', ms: 1.3 },
      { name: 'router', ms: 0.2 },
      { name: 'garbage collection', ms: 0.1 },
    ]);
  });

  it('tells the functions on top of the stack', () => {
    expect(functionsOf(profile, originOf)[0]).toEqual({ name: 'stringify', ms: 1.3 });
  });
});
