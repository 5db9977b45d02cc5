/**
 * The approval gate's rules: what a request is bound to, and whether a person may do what they ask
 * (I3). All of it is checked at the state change, so that no route can forget a rule.
 */
import type { ApprovalRule } from '../contract/approvals.ts';
import type { Resolution } from '../contract/entries.ts';
import { type Actor, type Json, type JsonObject, ROLES, type Role } from '../contract/json.ts';
import type { Fault, ProblemCode } from '../contract/problems.ts';
import type { ApprovalState } from './approval-state.ts';
import { hashJson } from './chain.ts';
import type { RunState } from './state.ts';

/** What an approval is bound to. Its canonical JSON is hashed when the gate opens and before sending. */
export interface Binding {
  readonly tenant: string;
  readonly run: string;
  readonly step: string;
  readonly action: string;
  readonly input: Json;
  readonly workflow: { readonly id: string; readonly version: number };
  readonly rule: ApprovalRule;
  readonly expiresAt: string;
}

export function inputHash(binding: Binding): string {
  return hashJson(plain(binding));
}

/** Interfaces have no index signature: the same value, as the JSON that it is. */
function plain({ workflow, rule, ...binding }: Binding): JsonObject {
  const { escalateTo, roles, members, among, ...fields } = rule;
  const lists = { roles: [...roles], members: [...members], among: [...among] };
  const escalation = escalateTo === null ? null : { ...escalateTo };
  return {
    ...binding,
    workflow: { ...workflow },
    rule: { ...fields, ...lists, escalateTo: escalation },
  };
}

/** A person's right to decide: who it is, in the role that they have now. */
export interface Right {
  readonly actor: Actor;
  readonly role: Role;
}

/** Who may decide by which rights: their own, and those of members who let them. */
export interface Person extends Right {
  /** The members' own rights alone: what they were lent in turn is nobody's to lend. */
  readonly standsInFor?: readonly Right[] | undefined;
}

/** Who acts on an approval, on which one, and what they have seen. */
export interface Claim extends Person {
  readonly approvalId: string | undefined;
  readonly inputHash: string | undefined;
  readonly comment: string | null;
  readonly requestId: string;
}

export interface Vote extends Claim {
  readonly decision: 'approved' | 'denied';
  /** The id of a member in whose place this is decided; undefined: by the person's own right. */
  readonly onBehalfOf?: string | undefined;
  /** For an approval of kind `resolve`, and needed to approve there. */
  readonly resolution?: Resolution | undefined;
}

export interface Refused {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors?: Fault[];
}

/** The approval that a claim is about, or why there is none. */
export function claimedApproval(
  run: RunState,
  claim: Pick<Claim, 'approvalId'>,
): { approval: ApprovalState } | { refused: Refused } {
  if (claim.approvalId !== undefined) {
    const approval = run.approvals.find(({ id }) => id === claim.approvalId);
    return approval === undefined
      ? { refused: { code: 'not_found', detail: 'The run has no such approval.' } }
      : { approval };
  }
  const pending = run.approvals.filter((approval) => approval.status === 'pending');
  const [only] = pending;
  if (only !== undefined && pending.length === 1) return { approval: only };
  const ids = pending.map(({ id }) => id).join(', ');
  if (pending.length > 1)
    return { refused: { code: 'approval_ambiguous', detail: `Name one with approvalId: ${ids}.` } };
  const last = run.approvals.at(-1);
  if (last !== undefined) return { refused: closed(last) };
  return run.finishedAt === null
    ? { refused: { code: 'conflict', detail: 'Nothing in this run waits for a decision.' } }
    : { refused: { code: 'run_finished', detail: `The run is ${run.status}.` } };
}

function closed({ status }: ApprovalState): Refused {
  if (status === 'expired') return { code: 'approval_expired', detail: 'Nobody decided in time.' };
  if (status === 'cancelled')
    return { code: 'run_finished', detail: 'The run ended before anyone decided.' };
  return { code: 'approval_decided', detail: `The approval is already ${status}.` };
}

/** Why nothing can be claimed of a run that has ended, or of which nothing waits. */
export function refusedClaim(run: RunState, claim: Claim): Refused {
  const claimed = claimedApproval(run, claim);
  if ('refused' in claimed) return claimed.refused;
  return checkOpen(claimed.approval, claim) ?? { code: 'conflict', detail: 'Ask again.' };
}

/** What holds for every claim: the approval is open, and the inputs are those that were shown. */
export function checkOpen(approval: ApprovalState, claim: Claim): Refused | null {
  if (approval.status !== 'pending') return closed(approval);
  if (claim.inputHash !== undefined && claim.inputHash !== approval.inputHash)
    return {
      code: 'approval_mismatch',
      detail: 'The inputs are not the ones that were shown. Read the run again.',
    };
  return null;
}

/** Whether a vote counts. The order of the checks is the precedence of the answers. */
export function checkVote(approval: ApprovalState, vote: Vote): Refused | null {
  return (
    checkOpen(approval, vote) ??
    checkPerson(approval, vote) ??
    (approval.rule.reasonRequired && vote.comment === null ? reasonNeeded() : null) ??
    checkResolution(approval, vote)
  );
}

function checkResolution({ kind }: ApprovalState, { decision, resolution }: Vote): Refused | null {
  const takes = kind === 'resolve' && decision === 'approved';
  if (takes === (resolution !== undefined)) return null;
  const detail = takes
    ? 'Nobody knows whether this was carried out: say what you found.'
    : 'Only the approval of an unknown outcome takes a resolution.';
  const message = takes ? 'happened or retry; to give up, deny it' : 'leave it out';
  return { code: 'validation_failed', detail, errors: [{ path: 'resolution', message }] };
}

function reasonNeeded(): Refused {
  return {
    code: 'validation_failed',
    detail: 'This approval needs a reason.',
    errors: [{ path: 'comment', message: 'required by the approval policy' }],
  };
}

/**
 * One vote takes both who casts it and whose right it is: neither can vote again, and either being
 * barred bars it. So a delegation never makes two approvals out of one person.
 */
function checkPerson(approval: ApprovalState, vote: Vote): Refused | null {
  const right = rightOf(vote);
  if (right === undefined)
    return { code: 'forbidden', detail: 'This member does not let you decide in their place now.' };
  if (!mayDecide(approval, right.actor.id, right.role))
    return { code: 'forbidden', detail: notNamedText(approval, vote, right) };
  const barred = [vote.actor, right.actor].find(({ id }) => approval.excluded.includes(id));
  if (barred !== undefined)
    return {
      code: 'self_approval',
      detail: `Whoever sent the event, wrote the workflow or changed the inputs may not decide${
        barred.id === vote.actor.id ? '' : ', nor anyone in their place'
      }.`,
    };
  const taken = [vote.actor, right.actor].flatMap(({ id }) => decisionOf(approval, id) ?? [])[0];
  return taken === undefined
    ? null
    : { code: 'self_approval', detail: `${takenText(taken, vote)}; another person has to.` };
}

function takenText({ actor, onBehalfOf }: Decision, vote: Vote): string {
  if (actor.id === vote.actor.id) return 'You have decided already';
  const whose = onBehalfOf?.id === vote.actor.id ? 'you' : onBehalfOf?.name;
  return `${actor.name} has decided${whose === undefined ? '' : ` for ${whose}`} already`;
}

type Decision = ApprovalState['decisions'][number];

/** The decision that names somebody, as who cast it or as whose right it was. */
export function decisionOf(
  { decisions }: Pick<ApprovalState, 'decisions'>,
  id: string,
): Decision | undefined {
  return decisions.find(({ actor, onBehalfOf }) => actor.id === id || onBehalfOf?.id === id);
}

/** The right by which a vote is cast; undefined when nobody has lent it. */
export function rightOf({ actor, role, onBehalfOf, standsInFor = [] }: Vote): Right | undefined {
  return onBehalfOf === undefined
    ? { actor, role }
    : standsInFor.find((right) => right.actor.id === onBehalfOf);
}

/** Everybody whom a decision names: who cast it, and in whose place. */
export function decidedBy({ decisions }: Pick<ApprovalState, 'decisions'>): string[] {
  return decisions.flatMap(({ actor, onBehalfOf }) =>
    onBehalfOf === undefined ? [actor.id] : [actor.id, onBehalfOf.id],
  );
}

/** What tells who may decide: `among`, when it is not empty, narrows the other two. */
export interface Deciders extends Pick<ApprovalState, 'roles' | 'members'> {
  readonly rule: { readonly among: readonly string[] };
}

/** The rights by which a person may decide, their own before others'; `barred` ones are none. */
export function rightsOf(
  deciders: Deciders,
  barred: readonly string[],
  { actor, role, standsInFor = [] }: Person,
): Right[] {
  if (barred.includes(actor.id)) return [];
  return [{ actor, role }, ...standsInFor].filter(
    (right) => !barred.includes(right.actor.id) && mayDecide(deciders, right.actor.id, right.role),
  );
}

/** Whether the rule names this person, by role or by name, as a decider. */
export function mayDecide(
  { roles, members, rule }: Deciders,
  actorId: string,
  role: Role,
): boolean {
  const isNamed = members.includes(actorId) || roles.some((least) => isAtLeast(role, least));
  return role !== 'ingest' && isNamed && (rule.among.length === 0 || rule.among.includes(actorId));
}

/** Why a right is none here; and by whose right the person could decide, if by anyone's. */
function notNamedText(approval: ApprovalState, vote: Vote, right: Right): string {
  const text = decidersText(approval);
  if (vote.onBehalfOf !== undefined) return `${text} ${right.actor.name} may not decide this.`;
  const lent = rightsOf(approval, [...approval.excluded, ...decidedBy(approval)], vote);
  const names = lent.map(({ actor }) => `${actor.name} (${actor.id})`).join(' or ');
  return names === '' ? text : `${text} You may in the place of ${names}: send onBehalfOf.`;
}

function decidersText({ roles, members, rule }: ApprovalState): string {
  if (rule.among.length > 0)
    return 'The workflow names who may decide, and you are not among them.';
  const named = members.length > 0 ? [`one of ${members.length} named members`] : [];
  const byRole = roles.length > 0 ? [`the role ${roles.join(' or ')}`] : [];
  return `Deciding takes ${[...byRole, ...named].join(', or ')}.`;
}

/** Whether the rule lets this person change the inputs. */
export function checkEdit(approval: ApprovalState, claim: Claim): Refused | null {
  const open = checkOpen(approval, claim);
  if (open !== null) return open;
  const { edit } = approval.rule;
  if (edit === 'nobody')
    return { code: 'forbidden', detail: 'The policy lets nobody edit inputs.' };
  return isAtLeast(claim.role, edit)
    ? null
    : { code: 'forbidden', detail: `Editing inputs takes the role ${edit}.` };
}

/** Whether the rule lets this person break the glass. */
export function checkOverride(approval: ApprovalState, claim: Claim): Refused | null {
  const open = checkOpen(approval, claim);
  if (open !== null) return open;
  if (!approval.rule.breakGlass)
    return { code: 'forbidden', detail: 'The policy does not allow an override.' };
  if (claim.role !== 'admin') return { code: 'forbidden', detail: 'Overriding takes an admin.' };
  return claim.comment === null ? reasonNeeded() : null;
}

/** Roles are ordered: who may do more may do this too. `ingest` decides nothing. */
function isAtLeast(role: Role, least: Role): boolean {
  return role !== 'ingest' && ROLES.indexOf(role) >= ROLES.indexOf(least);
}

/** Whether one more approval opens the gate. People are counted, not calls: each by their own right. */
export function completesQuorum({ decisions, required }: ApprovalState, vote: Vote): boolean {
  const people = new Set(decisions.map(({ actor, onBehalfOf = actor }) => onBehalfOf.id));
  return people.add(vote.onBehalfOf ?? vote.actor.id).size >= required;
}
