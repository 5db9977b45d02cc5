/** The settings, each at an address of its own. */
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { Link, useLocation, useParams } from 'wouter-preact';
import { paths } from '../../address.ts';
import { useIsAdmin } from '../../caller.ts';
import { common } from '../../strings/common.ts';
import { settingsWords } from '../../strings/settings.ts';
import { PageHead } from '../../ui/page.tsx';
import { Empty } from '../../ui/states.tsx';
import { ConnectionsPart } from './connections.tsx';
import { DestinationsPart } from './destinations.tsx';
import { KeysPart } from './keys.tsx';
import { LimitsPart } from './limits.tsx';
import { MembersPart } from './members.tsx';
import { PolicyPart } from './policy.tsx';
import { PrivacyPart } from './privacy.tsx';

type Name = keyof typeof settingsWords.names;

interface Part {
  readonly name: Name;
  readonly part: ComponentType<object>;
  readonly isAdminOnly?: true;
}

const PARTS: readonly Part[] = [
  { name: 'keys', part: KeysPart, isAdminOnly: true },
  { name: 'members', part: MembersPart },
  { name: 'connections', part: ConnectionsPart, isAdminOnly: true },
  { name: 'policy', part: PolicyPart },
  { name: 'destinations', part: DestinationsPart },
  { name: 'privacy', part: PrivacyPart, isAdminOnly: true },
  { name: 'limits', part: LimitsPart },
];

export function SettingsPage() {
  const { part } = useParams<{ part?: string }>();
  const [, navigate] = useLocation();
  const isAdmin = useIsAdmin();
  const first = isAdmin ? 'keys' : 'members';
  useEffect(() => {
    if (part === undefined) navigate(paths.setting(first), { replace: true });
  }, [part, first, navigate]);
  const found = PARTS.find(({ name }) => name === part);
  const Shown = found?.part;
  return (
    <>
      <PageHead title={settingsWords.title} />
      <nav class="tabs" aria-label={settingsWords.parts}>
        {PARTS.map(({ name }) => (
          <Link
            key={name}
            href={paths.setting(name)}
            aria-current={name === part ? 'page' : undefined}
          >
            {settingsWords.names[name]}
          </Link>
        ))}
      </nav>
      {Shown === undefined ? (
        part === undefined ? null : (
          <Empty title={common.notFound} />
        )
      ) : found?.isAdminOnly === true && !isAdmin ? (
        <Empty title={settingsWords.adminOnly} />
      ) : (
        <Shown />
      )}
    </>
  );
}
