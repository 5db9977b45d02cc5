/**
 * I3 from the entries alone: who opened a gate, after what, for which inputs, and what time did to
 * it. The hashes are made here anew (SHA-256 of the RFC 8785 text), not by the engine.
 */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { Entry, EntryType } from '../../../src/contract/entries.ts';
import { canonicalJson, durationMs, type Json, type Role } from '../../../src/contract/json.ts';
import type { RunState } from '../../../src/engine/state.ts';

type Of<T extends EntryType> = Extract<Entry, { type: T }>;
type OnApproval = Extract<Entry, { approvalId: string }>;

function only<T extends EntryType>(entries: readonly Entry[], type: T): Of<T>[] {
  const isIt = (entry: Entry): entry is Of<T> => entry.type === type;
  return entries.filter(isIt);
}

/** `ofStep` is the history of a step up to an attempt: what its gate asked for was there. */
export function assertGranted(ofStep: readonly Entry[]): void {
  const [request, another] = only(ofStep, 'approval_requested');
  if (request === undefined) return;
  expect(another).toBeUndefined();
  for (const type of ['approval_denied', 'approval_expired', 'approval_cancelled'] as const)
    expect(only(ofStep, type)).toEqual([]);
  const [granted, twice] = only(ofStep, 'approval_granted');
  expect(twice).toBeUndefined();
  if (granted === undefined)
    throw new Error(`${request.stepId} was attempted behind a closed gate`);
  const before = ofStep.slice(0, ofStep.indexOf(granted));
  expect(only(before, 'approval_edited')).toEqual(only(ofStep, 'approval_edited'));
  const last = before.at(-1);
  if (last?.type === 'approval_overridden') assertBroken(request, last);
  else assertQuorum(request, before);
}

/** The history without what became of unknown outcomes. */
export function withoutQuestions(ofStep: readonly Entry[]): readonly Entry[] {
  const questions = only(ofStep, 'approval_requested')
    .filter(({ kind }) => kind === 'resolve')
    .map(({ approvalId }) => approvalId);
  return ofStep.filter((entry) => !('approvalId' in entry && questions.includes(entry.approvalId)));
}

/** After an attempt whose outcome nobody knew, the next one was asked for by a person. */
export function assertResolved(ofStep: readonly Entry[]): void {
  for (const request of only(ofStep, 'approval_requested')) {
    if (request.kind === 'gate') continue;
    const after = ofStep.slice(ofStep.indexOf(request) + 1);
    const votes = only(after, 'approval_approved').filter(
      ({ approvalId }) => approvalId === request.approvalId,
    );
    expect(votes.map(({ resolution }) => resolution)).toEqual(['retry']);
    assertQuorum(request, votes);
  }
}

function assertBroken({ rule }: Of<'approval_requested'>, broken: Of<'approval_overridden'>): void {
  expect(rule.breakGlass).toBe(true);
  expect(broken.comment).not.toBeNull();
}

/** Enough votes, each after the last edit. Whose they may be: `assertVoters`. */
function assertQuorum({ rule }: Of<'approval_requested'>, before: readonly Entry[]): void {
  const edited = before.findLastIndex(({ type }) => type === 'approval_edited');
  const votes = only(before.slice(edited + 1), 'approval_approved');
  expect(votes.length).toBeGreaterThanOrEqual(rule.approvals);
  const people = (whose: (vote: Of<'approval_approved'>) => string) => new Set(votes.map(whose));
  expect(people(({ actor }) => actor.id).size).toBe(votes.length);
  expect(people(({ actor, onBehalfOf = actor }) => onBehalfOf.id).size).toBe(votes.length);
}

/** No vote names anybody who was excluded, or whom an earlier one names: as voter or in whose place. */
function assertVoters(
  { rule, excluded }: Of<'approval_requested'>,
  after: readonly OnApproval[],
): void {
  let barred = excluded;
  let used: string[] = [];
  for (const entry of after) {
    if (entry.type === 'approval_edited') {
      used = [];
      if (!rule.selfApproval) barred = [...barred, entry.actor.id];
    }
    if (entry.type !== 'approval_approved' && entry.type !== 'approval_denied') continue;
    const { actor, onBehalfOf, comment } = entry;
    const named = onBehalfOf === undefined ? [actor.id] : [actor.id, onBehalfOf.id];
    expect(named.filter((id) => barred.includes(id) || used.includes(id))).toEqual([]);
    if (rule.among.length > 0) expect(rule.among).toContain(named.at(-1));
    if (rule.reasonRequired) expect(comment).not.toBeNull();
    used.push(...named);
  }
}

/** Everything that happened at each gate while it was open, in order. */
export function assertWaiting(entries: readonly Entry[]): void {
  for (const request of only(entries, 'approval_requested')) {
    const after = entries.filter(
      (entry): entry is Exclude<OnApproval, Of<'approval_requested'>> =>
        'approvalId' in entry &&
        entry.approvalId === request.approvalId &&
        entry.type !== 'approval_requested',
    );
    assertOneAnswer(after);
    assertTime(request, after);
    assertEachSeenOnce(after);
    assertVoters(request, after);
  }
}

/** Nothing follows the answer, and the answer comes once. */
function assertOneAnswer(after: readonly OnApproval[]): void {
  const answers = ['approval_granted', 'approval_denied', 'approval_expired', 'approval_cancelled'];
  const at = after.findIndex(({ type }) => answers.includes(type));
  if (at >= 0) expect(after.slice(at + 1)).toEqual([]);
}

/** Escalated once at most, ended by silence only when due, reminded no more often than asked for. */
function assertTime(
  { rule, at, expiresAt }: Of<'approval_requested'>,
  after: readonly OnApproval[],
) {
  let until = expiresAt;
  let reminded = at;
  let escalations = 0;
  for (const entry of after) {
    if (entry.type === 'approval_escalated') {
      expect(entry.at >= until).toBe(true);
      expect(rule.onExpire).toBe('escalate');
      escalations += 1;
      until = entry.expiresAt;
    } else if (entry.type === 'approval_expired') {
      expect(entry.at >= until).toBe(true);
      expect(escalations).toBe(rule.onExpire === 'escalate' && rule.escalateTo !== null ? 1 : 0);
    } else if (entry.type !== 'approval_cancelled') expect(entry.at < until).toBe(true);
    if (entry.type === 'approval_reminded') {
      const gap = Date.parse(entry.at) - Date.parse(reminded);
      const least = rule.remindEvery === null ? Infinity : durationMs(rule.remindEvery);
      expect(gap).toBeGreaterThanOrEqual(least);
      reminded = entry.at;
    }
  }
  expect(escalations).toBeLessThanOrEqual(1);
}

function assertEachSeenOnce(after: readonly OnApproval[]): void {
  const viewers = only(after, 'approval_viewed').map(({ actor }) => actor.id);
  expect(new Set(viewers).size).toBe(viewers.length);
}

/** Each hash is that of the inputs as they then were; what is granted is what the step now has. */
export function assertBound(entries: readonly Entry[], run: RunState, tenant: string): void {
  const [created] = only(entries, 'run_created');
  for (const request of only(entries, 'approval_requested')) {
    const { stepId, approvalId, rule, expiresAt } = request;
    const [begun] = only(entries, 'step_started').filter((entry) => entry.stepId === stepId);
    const workflow = { id: created?.workflowId, version: created?.workflowVersion };
    const bound = { tenant, run: run.id, step: stepId, action: begun?.action, workflow };
    const hash = (input: Json) => sha256({ ...bound, rule, expiresAt, input });
    const former = only(entries, 'approval_edited').filter(
      (edit) => edit.stepId === stepId && edit.seq < request.seq,
    );
    const asked = former.at(-1) ?? begun;
    expect(request.inputHash).toBe(hash(asked?.input ?? null));
    const edits = only(entries, 'approval_edited').filter((edit) => edit.approvalId === approvalId);
    if (request.kind === 'resolve') expect(edits).toEqual([]);
    for (const edit of edits) expect(edit.inputHash).toBe(hash(edit.input));
    const input = run.steps.find(({ id }) => id === stepId)?.input ?? null;
    expect(input).toEqual((edits.at(-1) ?? asked)?.input);
    expect(run.approvals.find(({ id }) => id === approvalId)?.inputHash).toBe(hash(input));
  }
}

function sha256(value: object): string {
  const json: Json = JSON.parse(JSON.stringify(value));
  return createHash('sha256').update(canonicalJson(json)).digest('hex');
}

const RANK: Readonly<Record<Role, number>> = { ingest: 0, viewer: 1, approver: 2, admin: 3 };

/** Whose right somebody held when they acted, and in which role. */
export interface HeldRight {
  readonly who: string;
  readonly role: Role;
}

/** Whoever acted had the role for it, or was named: they, or the member in whose place they did. */
export function assertRoles(
  entries: readonly Entry[],
  rightsOf: (entry: { readonly requestId: string }) => readonly HeldRight[],
): void {
  for (const request of only(entries, 'approval_requested')) {
    let { roles, members } = request.rule;
    for (const entry of entries) {
      if (!('approvalId' in entry) || entry.approvalId !== request.approvalId) continue;
      if (entry.type === 'approval_escalated') ({ roles, members } = entry);
      if (!('actor' in entry)) continue;
      const [own, ...lent] = rightsOf(entry);
      if (own === undefined) throw new Error(`nobody did ${entry.type}`);
      const decides = ({ who, role }: HeldRight) =>
        RANK[role] > RANK.ingest &&
        (members.includes(who) || roles.some((least) => RANK[role] >= RANK[least]));
      const why = `${entry.type} by ${entry.requestId}`;
      if (entry.type === 'approval_overridden') expect(own.role, why).toBe('admin');
      else if (entry.type === 'approval_edited') assertEditor(request.rule.edit, RANK[own.role]);
      else if (entry.type === 'approval_viewed')
        expect([own, ...lent].some(decides), why).toBe(true);
      else expect(rightUsed(entry, own, lent).every(decides), why).toBe(true);
    }
  }
}

/** Nobody votes by a right that they did not hold. */
function rightUsed(
  { onBehalfOf }: Of<'approval_approved' | 'approval_denied'>,
  own: HeldRight,
  lent: readonly HeldRight[],
): readonly HeldRight[] {
  if (onBehalfOf === undefined) return [own];
  const used = lent.filter(({ who }) => who === onBehalfOf.id);
  expect(used).toHaveLength(1);
  return used;
}

function assertEditor(edit: Of<'approval_requested'>['rule']['edit'], rank: number): void {
  expect(edit).not.toBe('nobody');
  expect(rank).toBeGreaterThanOrEqual(edit === 'admin' ? RANK.admin : RANK.approver);
}
