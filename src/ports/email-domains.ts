/**
 * Which tenants may send from which domains by the deployment's own mail service. All of them share
 * its account, so without this one tenant could write in another's name (I4), or in the operator's.
 */
import * as z from 'zod';
import { later } from '../contract/later.ts';
import { domainOf, type Mailbox } from '../contract/mail.ts';
import { parsedJson } from './vendor-http.ts';

export interface DomainsEnv {
  readonly ENVIRONMENT: string;
  readonly EMAIL_DOMAINS?: string;
}

const EVERYBODY = '*';
const domains = later(() => z.record(z.string().toLowerCase(), z.array(z.string())));

/** Why the tenant may not send from there, in a sentence; null when it may. */
export function domainFault(
  { ENVIRONMENT, EMAIL_DOMAINS = '' }: DomainsEnv,
  tenantId: string,
  from: Mailbox,
): string | null {
  const text = EMAIL_DOMAINS.trim();
  if (text === '' && ENVIRONMENT === 'development') return null;
  const read = domains.safeParse(text === '' ? {} : parsedJson(text)).data;
  if (read === undefined)
    return 'EMAIL_DOMAINS is not what it has to be: {"shop.example.com": ["tenant"], …}.';
  const domain = domainOf(from);
  const tenants = Object.hasOwn(read, domain) ? read[domain] : undefined;
  return tenants?.some((id) => id === tenantId || id === EVERYBODY)
    ? null
    : `The operator has not opened ${domain} to this tenant (EMAIL_DOMAINS).`;
}
