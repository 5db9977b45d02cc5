/**
 * The OpenFeature Remote Evaluation Protocol over the same flags: whatever speaks it needs no code of
 * ours. Its own errors come in its own form; what it says nothing about comes as everywhere here.
 */
import {
  evaluationOf,
  type OfrepError,
  ofrepEvaluation,
  ofrepFailure,
  ofrepFault,
  ofrepFlags,
} from '../contract/ofrep.ts';
import { parseJson, readJsonBytes } from '../http/body.ts';
import { conditionalJson } from '../http/conditional.ts';
import { keptElsewhere } from '../http/flag-reader.ts';
import { type Answer, flagRoute, type Route } from '../http/route.ts';
import { parseLossless } from '../vendors/lossless-json.ts';

const TAG = 'Flags';
const JSON_TYPE = 'application/json';
const malformed = { status: 400, description: 'No request of the protocol', schema: ofrepFailure };

export const ofrepRoutes: readonly Route[] = [
  flagRoute({
    method: 'POST',
    path: '/ofrep/v1/evaluate/flags',
    tag: TAG,
    summary: 'Evaluate all flags (OFREP)',
    description:
      'For providers of OpenFeature’s client SDKs. With the ETag of an answer as `If-None-Match`, 304 until a flag changes.',
    rawBody: [JSON_TYPE],
    answer: { status: 200, description: 'Every flag', schema: ofrepFlags },
    problems: [413, 415],
    others: [malformed, { status: 304, description: 'As the client has them' }],
    async handle({ request, reader }) {
      const refused = await readRequest(request);
      if (refused !== null) return refused;
      if (reader.service !== null) return failure('GENERAL', keptElsewhere(reader.service));
      const flags = [...reader.flags].map(([key, enabled]) => evaluationOf(key, enabled));
      return conditionalJson(request, { flags });
    },
  }),
  flagRoute({
    method: 'POST',
    path: '/ofrep/v1/evaluate/flags/:key',
    tag: TAG,
    summary: 'Evaluate one flag (OFREP)',
    description:
      'For providers of OpenFeature’s server SDKs. A flag that was never set is not found, so that the SDK takes the default of the code.',
    rawBody: [JSON_TYPE],
    answer: { status: 200, description: 'The flag', schema: ofrepEvaluation },
    problems: [413, 415],
    others: [malformed, { status: 404, description: 'Never set', schema: ofrepFailure }],
    async handle({ request, reader, params: { key = '' } }) {
      const refused = await readRequest(request, key);
      if (refused !== null) return refused;
      if (reader.service !== null) return failure('GENERAL', keptElsewhere(reader.service), key);
      const enabled = reader.flags.get(key);
      return enabled === undefined
        ? failure('FLAG_NOT_FOUND', 'This flag was never set.', key)
        : Response.json(evaluationOf(key, enabled));
    },
  }),
];

/** What is wrong with the request, or null. Of the context nothing is needed, however long its numbers. */
async function readRequest(request: Request, key?: string): Promise<Answer | null> {
  const bytes = await readJsonBytes(request);
  if ('ok' in bytes) return bytes;
  const parsed = parseJson(bytes, parseLossless);
  if (!parsed.ok) return failure('PARSE_ERROR', parsed.detail ?? '', key);
  const fault = ofrepFault(parsed.value);
  return fault === null ? null : failure('INVALID_CONTEXT', fault, key);
}

function failure(errorCode: OfrepError, errorDetails: string, key?: string): Response {
  const status = errorCode === 'FLAG_NOT_FOUND' ? 404 : 400;
  const body = { ...(key === undefined ? {} : { key }), errorCode, errorDetails };
  return Response.json(body, { status });
}
