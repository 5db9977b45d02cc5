/** Once all is well again and quiet: everything that was accepted is there, once, and nobody waits. */
import * as z from 'zod';
import { chunksOf } from '../../scripts/verify-audit/lines.ts';
import { checkedHere, verifyLog } from '../../scripts/verify-audit/log.ts';
import { nodeSha256 } from '../../scripts/verify-audit/node-sha256.ts';
import { type Entry, entry } from '../../src/contract/entries.ts';
import { type Asked, type Ledger, outcomeOfAll, type SentEvent } from './ledger.ts';
import type { House } from './platform/house.ts';
import { RunBook } from './run-book.ts';
import { definitions, type Shop } from './shop.ts';
import type { Watcher } from './watch.ts';

const FINAL = ['succeeded', 'failed', 'denied', 'expired', 'cancelled'];
const eventRow = z.object({
  tenant_id: z.string(),
  id: z.string(),
  event_id: z.string(),
  source: z.string(),
  type: z.string(),
  runs: z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text))),
});
const runRow = z.object({
  tenant_id: z.string(),
  id: z.string(),
  status: z.string(),
  workflow_id: z.string(),
  workflow_name: z.string(),
  event_id: z.string(),
  entries: z.string().nullable(),
});
type EventRow = z.infer<typeof eventRow>;
type RunRow = z.infer<typeof runRow>;

/** The log, as D1 has it. */
interface Log {
  readonly events: readonly EventRow[];
  readonly runs: readonly RunRow[];
  readonly timelines: ReadonlyMap<string, readonly Entry[]>;
}

export function accountFor(
  house: House,
  ledger: Ledger,
  watcher: Watcher,
  shops: readonly Shop[],
): string[] {
  const log = readLog(house);
  return [
    ...ledger.events.flatMap((sent) => eventFaults(sent, log)),
    ...shops.flatMap((shop) => startFaults(shop, log)),
    ...log.runs.flatMap((run) => runFaults(run, log, watcher)),
    ...log.runs.flatMap((run) => effectFaults(run, log, ledger)),
    ...ledger.asked.flatMap((asked) => askedFaults(asked, log, house)),
    ...log.runs.flatMap((run) => policyFaults(run, log, ledger, watcher)),
    ...stuckFaults(house),
  ];
}

function readLog({ d1 }: House): Log {
  const runs = d1.read('SELECT * FROM runs ORDER BY id').map((row) => runRow.parse(row));
  const parts = d1.read('SELECT run_id, entries FROM run_entries ORDER BY run_id, first_seq');
  const timelines = new Map<string, Entry[]>();
  const add = (runId: string, text: string) =>
    timelines.set(runId, [
      ...(timelines.get(runId) ?? []),
      ...z.array(entry).parse(JSON.parse(text)),
    ]);
  for (const { id, entries } of runs) if (entries !== null) add(id, entries);
  for (const { run_id: id, entries } of parts) add(String(id), String(entries));
  const events = d1.read('SELECT * FROM events').map((row) => eventRow.parse(row));
  return { events, runs, timelines };
}

/** I1: what was accepted is there once; what was refused is not there; of the rest, once at most. */
function eventFaults(sent: SentEvent, { events }: Log): string[] {
  const found = events.filter(
    ({ tenant_id, source }) => tenant_id === sent.shop && source === sent.source,
  );
  const [first] = found;
  const outcome = outcomeOfAll(sent);
  const about = `event ${sent.n} of ${sent.shop} (${outcome})`;
  if (found.length > 1) return [`${about} is there ${found.length} times`];
  if (outcome === 'ok' && first === undefined) return [`${about} is lost`];
  if (outcome === 'fail' && first !== undefined) return [`${about} was refused, and is there`];
  return sent.answers.flatMap(({ id, runs }) =>
    id === first?.id && String(runs) === String(first.runs)
      ? []
      : [`${about} was answered with ${id}: ${runs}, and is ${first?.id}: ${first?.runs}`],
  );
}

/** Each event starts each workflow of its type once. */
function startFaults(shop: Shop, { events, runs }: Log): string[] {
  const own = runs.filter(({ tenant_id }) => tenant_id === shop.id);
  const workflows = definitions(shop.id);
  const named = new Set(events.flatMap((event) => event.runs));
  const starts = Map.groupBy(own, ({ workflow_id, event_id }) => `${workflow_id} ${event_id}`);
  const twice = [...starts].flatMap(([start, all]) =>
    all.length === 1 ? [] : [`${start} was started ${all.length} times`],
  );
  const strange = own.flatMap(({ id }) => (named.has(id) ? [] : [`no event has the run ${id}`]));
  const missing = events
    .filter(({ tenant_id }) => tenant_id === shop.id)
    .flatMap((event) => {
      const started = own.filter(({ id }) => event.runs.includes(id));
      const wanted = workflows.filter(({ trigger }) => trigger.event === event.type);
      return started.length === event.runs.length && started.length === wanted.length
        ? []
        : [
            `event ${event.event_id} has ${event.runs.length} runs, of which ${started.length} are there`,
          ];
    });
  return [...twice, ...strange, ...missing];
}

/** I2, I3: one end, no gap; and the log has what the run's own object had. */
function runFaults({ id, status }: RunRow, { timelines }: Log, { books }: Watcher): string[] {
  const timeline = timelines.get(id) ?? [];
  const book = new RunBook();
  const wrong = book.take(timeline);
  const faults = wrong === null ? [] : [`${id}: ${wrong}`];
  if (!FINAL.includes(status)) faults.push(`${id} is ${status} for good`);
  else if (book.end?.type !== `run_${status}`)
    faults.push(`${id} is ${status}, and ended by ${book.end?.type}`);
  const own = books.get(id)?.entries;
  if (own !== undefined && JSON.stringify(own) !== JSON.stringify(timeline))
    faults.push(`${id}: its object had ${own.length} entries, the log has ${timeline.length}`);
  return faults;
}

/** What a run says that it sent has arrived, under the step's one key. */
function effectFaults({ id }: RunRow, { timelines }: Log, { arrived }: Ledger): string[] {
  const timeline = timelines.get(id) ?? [];
  const sends = timeline.flatMap((one) =>
    one.type === 'step_started' && one.action === 'notify.webhook' ? [one.stepId] : [],
  );
  return timeline.flatMap((one) =>
    one.type === 'attempt_succeeded' &&
    sends.includes(one.stepId) &&
    !arrived.has(`${id}_${one.stepId}`)
      ? [`${id} says that ${one.stepId} was sent, and nothing arrived`]
      : [],
  );
}

/** What was answered 2xx is there once, and once in the audit; what was not, once at most. */
function askedFaults(asked: Asked, { timelines }: Log, house: House): string[] {
  const { what, subject, isKeyed, requestIds } = asked;
  const outcome = outcomeOfAll(asked);
  const audited = house.d1.read(
    `SELECT action FROM audit WHERE request_id IN (${requestIds.map((id) => `'${id}'`).join()})`,
  );
  const acts = audited.filter(({ action }) => AUDITED[what] === action).length;
  const about = `${what} of ${subject} (${outcome}, ${requestIds})`;
  if (outcome === 'ok' && what !== 'cancel' && acts === 0) return [`${about} is in no audit entry`];
  const most = isKeyed ? 1 : requestIds.length;
  if (acts > most) return [`${about} is ${acts} times in the audit`];
  if (what !== 'approve' && what !== 'deny') return [];
  const votes = (timelines.get(subject) ?? []).filter(
    (one) =>
      (one.type === 'approval_approved' || one.type === 'approval_denied') &&
      requestIds.includes(one.requestId),
  ).length;
  return votes === acts ? [] : [`${about}: ${votes} votes, ${acts} audit entries`];
}

const AUDITED: Readonly<Record<Asked['what'], string>> = {
  approve: 'approval.approved',
  deny: 'approval.denied',
  edit: 'approval.edited',
  cancel: 'run.cancelled',
  policy: 'policy.updated',
  workflow: 'workflow.updated',
};

/** Clocks differ by so much. */
const SKEW_MS = 250;

/** I3: no gate opens by a policy that had been replaced when its admin was answered. */
function policyFaults(
  { id, tenant_id }: RunRow,
  { timelines }: Log,
  { asked }: Ledger,
  { policies, sinceBeginning }: Watcher,
): string[] {
  const own = asked.filter(({ shop, what }) => what === 'policy' && shop === tenant_id);
  const place = ({ requestIds }: Asked) =>
    policies.findLastIndex((requestId) => requestIds.includes(requestId));
  return (timelines.get(id) ?? []).flatMap((one) => {
    if (one.type !== 'approval_requested') return [];
    const at = sinceBeginning(one.at);
    if (at === null) return [];
    const used = own.find(({ subject }) => subject === one.rule.expiresIn);
    const usedPlace = used === undefined ? -1 : place(used);
    const later = own.find(
      (other) =>
        (other.isKeyed || other.requestIds.length === 1) &&
        other.answeredAt !== null &&
        other.answeredAt + SKEW_MS < at &&
        place(other) > usedPlace,
    );
    return later === undefined
      ? []
      : [`${id} asked by the policy ${one.rule.expiresIn}, after ${later.subject} was answered`];
  });
}

/** Nothing waits any more, anywhere. */
function stuckFaults(house: House): string[] {
  return [
    ...house.tenants.all().flatMap(({ name, storage }) =>
      [
        ['intake', 'SELECT 1 FROM intake WHERE state < 4'],
        ['outbox', 'SELECT 1 FROM outbox'],
        ['mails', 'SELECT 1 FROM mails'],
      ].flatMap(([table = '', text = '']) => {
        const waiting = storage.read(table, text)?.length ?? 0;
        return waiting === 0 ? [] : [`${name} has ${waiting} rows for ever in ${table}`];
      }),
    ),
    ...house.runs.all().flatMap(({ name, storage, alarmWasLost }) =>
      // Of one that was over when the platform lost its alarm, nobody knows any more.
      storage.readKeys('').length === 0 || alarmWasLost ? [] : [`${name} is kept for ever`],
    ),
  ];
}

/** I5, by the offline verifier. @param exported the chain, as the API gives it out */
export async function chainFaults(
  shop: string,
  exported: string,
  heads: ReadonlyMap<string, number>,
): Promise<string[]> {
  const bytes = Buffer.from(exported);
  async function* whole() {
    yield bytes;
  }
  const chunks = checkedHere(chunksOf(whole()), false, nodeSha256);
  const verdict = await verifyLog(chunks, shop, [], nodeSha256);
  if (!verdict.ok) return [`the chain of ${shop}: ${verdict.reason} at ${verdict.seq}`];
  const wanted = heads.get(`t:${shop}`);
  return verdict.entries === wanted
    ? []
    : [
        `the chain of ${shop} has ${verdict.entries} entries in the log, and ${wanted} in its object`,
      ];
}
