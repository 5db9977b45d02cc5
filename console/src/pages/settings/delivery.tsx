/** One delivery: what was sent, what was answered, and sending it once more. */
import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { Link, useParams } from 'wouter-preact';
import type { DeliveryDetail } from '../../../../src/contract/deliveries.ts';
import { paths } from '../../address.ts';
import { one, settings } from '../../api/routes.ts';
import { useIsAdmin } from '../../caller.ts';
import { destinationsWords } from '../../strings/settings.ts';
import { useAction } from '../../ui/action.ts';
import { Copyable, CopyButton } from '../../ui/copy.tsx';
import { Facts, PageHead } from '../../ui/page.tsx';
import { ErrorLine, ErrorPanel, Loading } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { spanText, visible } from '../../ui/text.ts';
import { Time } from '../../ui/time.tsx';

export function DeliveryPage() {
  const { id = '' } = useParams<{ id: string }>();
  const { data, error } = useQuery({ queryKey: ['delivery', id], queryFn: () => one.delivery(id) });
  if (error !== null) return <ErrorPanel error={error} />;
  return data === undefined ? <Loading /> : <DeliveryView delivery={data} />;
}

function DeliveryView({ delivery }: { delivery: DeliveryDetail }) {
  const isAdmin = useIsAdmin();
  const action = useAction();
  const [isSent, setIsSent] = useState(false);
  const again = async () => setIsSent(await action.run(() => settings.redeliver(delivery.id)));
  const { request, response } = delivery;
  return (
    <>
      <PageHead
        title={visible(delivery.destination)}
        above={<Link href={paths.setting('destinations')}>{destinationsWords.deliveries}</Link>}
      >
        <Status status={delivery.status} />
        {isAdmin ? (
          <button
            type="button"
            class="button"
            title={destinationsWords.againHow}
            disabled={action.isBusy || isSent}
            onClick={() => void again()}
          >
            {destinationsWords.again}
          </button>
        ) : null}
      </PageHead>
      <p role="status">{isSent ? destinationsWords.sentAgain : ''}</p>
      <ErrorLine error={action.error} />
      <div class="run-columns">
        <div>
          <h2>{destinationsWords.request}</h2>
          {request === null ? (
            <p class="quiet">{destinationsWords.notKept}</p>
          ) : (
            <Message
              line={`${request.method} ${request.url}`}
              headers={request.headers}
              body={request.body}
            />
          )}
          <h2>{destinationsWords.response}</h2>
          {response === null ? (
            <p class="quiet">{destinationsWords.noAnswer}</p>
          ) : (
            <Message
              line={String(response.status)}
              headers={response.headers}
              body={response.body}
            />
          )}
        </div>
        <aside>
          <DeliveryFacts delivery={delivery} />
        </aside>
      </div>
    </>
  );
}

function DeliveryFacts({ delivery }: { delivery: DeliveryDetail }) {
  const { facts, log } = destinationsWords;
  return (
    <Facts
      facts={[
        [log.at, <Time key="t" at={delivery.startedAt} />],
        [log.took, spanText(delivery.durationMs)],
        [log.answer, String(delivery.responseStatus ?? '–')],
        ...(delivery.code === null ? [] : [[facts.code, delivery.code] as const]),
        [facts.attempt, delivery.redelivery ? facts.redelivery : String(delivery.attempt)],
        [
          facts.run,
          <Link key="r" href={paths.run(delivery.runId, delivery.stepId)}>
            {delivery.stepId}
          </Link>,
        ],
        [facts.webhook, <Copyable key="w" text={delivery.webhookId} what={facts.webhook} />],
        [facts.id, <Copyable key="i" text={delivery.id} what={facts.id} />],
      ]}
    />
  );
}

function Message({
  line,
  headers,
  body,
}: {
  line: string;
  headers: Readonly<Record<string, string>>;
  body: string;
}) {
  return (
    <div class="message">
      <p class="mono">{visible(line)}</p>
      <dl class="headers">
        {Object.entries(headers).map(([name, value]) => (
          <div key={name}>
            <dt class="mono">{name}</dt>
            <dd class="mono">{visible(value)}</dd>
          </div>
        ))}
      </dl>
      <div class="message-body">
        <CopyButton text={body} what={destinationsWords.theBody} />
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
        <pre tabIndex={0}>{visible(pretty(body))}</pre>
      </div>
    </div>
  );
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
