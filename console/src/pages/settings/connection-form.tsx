/** What each connection takes. Secrets go in and never come back. */
import { useState } from 'preact/hooks';
import type { ConnectionKind } from '../../../../src/contract/connections.ts';
import { settings } from '../../api/routes.ts';
import { connectionsWords } from '../../strings/settings.ts';
import { Ask } from '../../ui/ask.tsx';
import { CheckField, SelectField, TextField } from '../../ui/field.tsx';

interface Input {
  readonly name: string;
  readonly label: string;
  readonly isSecret?: true;
  readonly isOptional?: true;
  /** Several, with blanks between them. */
  readonly isList?: true;
  readonly hint?: string;
}

/** By kind, or by kind and service. The API's own document is the full account of each. */
const INPUTS: Readonly<Record<string, readonly Input[]>> = {
  shopify: [
    { name: 'shopDomain', label: 'Shop domain', hint: 'example.myshopify.com' },
    { name: 'webhookSecret', label: 'Webhook secret', isSecret: true },
    { name: 'adminToken', label: 'Admin API token', isSecret: true, isOptional: true },
    { name: 'shopId', label: 'Shop id', isOptional: true },
    { name: 'apiVersion', label: 'API version', isOptional: true },
  ],
  stripe: [
    { name: 'webhookSecret', label: 'Webhook secret', isSecret: true, hint: 'whsec_…' },
    { name: 'apiKey', label: 'API key', isSecret: true, isOptional: true, hint: 'sk_… or rk_…' },
  ],
  webhook: [
    {
      name: 'signingSecret',
      label: 'Signing secret',
      isSecret: true,
      isOptional: true,
      hint: 'whsec_…',
    },
    { name: 'signingKey', label: 'Signing key', isSecret: true, isOptional: true, hint: 'whsk_…' },
  ],
  'email resend': [
    { name: 'from', label: 'From', hint: 'Shop <orders@example.com>' },
    { name: 'apiKey', label: 'API key', isSecret: true },
    { name: 'unsubscribe', label: 'Unsubscribe address', isOptional: true },
  ],
  'email cloudflare': [
    { name: 'from', label: 'From', hint: 'Shop <orders@example.com>' },
    { name: 'unsubscribe', label: 'Unsubscribe address', isOptional: true },
  ],
  'flags unleash': [
    { name: 'url', label: 'Address', hint: 'https://unleash.example.com' },
    { name: 'environment', label: 'Environment', hint: 'production' },
    { name: 'project', label: 'Project', isOptional: true },
    { name: 'apiToken', label: 'API token', isSecret: true },
  ],
  destinations: [
    { name: 'allow', label: 'Hosts', isList: true, hint: 'hooks.example.com *.example.org:8443' },
  ],
  exports: [{ name: 'keepFor', label: connectionsWords.keepFor, hint: '30d' }],
};

const SERVICES: Readonly<Partial<Record<ConnectionKind, readonly string[]>>> = {
  email: ['resend', 'cloudflare'],
  flags: ['unleash'],
};

export function ConnectionForm({
  kind,
  name,
  onClose,
}: {
  kind: ConnectionKind;
  name: string;
  onClose: () => void;
}) {
  const services = SERVICES[kind] ?? [];
  const [service, setService] = useState(services[0] ?? '');
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [drops, setDrops] = useState(false);
  const inputs = INPUTS[service === '' ? kind : `${kind} ${service}`] ?? [];
  const hasRotation = kind === 'shopify' || kind === 'stripe';
  const body = () => ({
    kind,
    ...(service === '' ? {} : { service }),
    ...Object.fromEntries(
      inputs.flatMap((input) => {
        const value = (values[input.name] ?? '').trim();
        return value === '' ? [] : [[input.name, input.isList ? value.split(/\s+/) : value]];
      }),
    ),
    ...(hasRotation && drops ? { dropPrevious: true } : {}),
  });
  return (
    <Ask
      title={connectionsWords.setTitle(name)}
      verb={connectionsWords.change}
      onDo={() => settings.setConnection(body())}
      onClose={onClose}
    >
      {services.length > 1 ? (
        <SelectField
          label="Service"
          value={service}
          options={services.map((value) => ({ value, label: value }))}
          onInput={setService}
        />
      ) : null}
      {inputs.map((input) => (
        <TextField
          key={input.name}
          label={input.label}
          {...(input.hint === undefined ? {} : { hint: input.hint })}
          type={input.isSecret === true ? 'password' : 'text'}
          autocomplete="off"
          value={values[input.name] ?? ''}
          onInput={(value) => setValues({ ...values, [input.name]: value })}
          required={input.isOptional !== true}
        />
      ))}
      {hasRotation ? (
        <CheckField label={connectionsWords.dropPrevious} checked={drops} onInput={setDrops} />
      ) : null}
      <p class="hint">{connectionsWords.secretHint}</p>
    </Ask>
  );
}
