/** CPU profiles of a running Worker, by the Chrome DevTools Protocol that workerd speaks. */

export interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}
export interface ProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children?: readonly number[];
}
/** https://chromedevtools.github.io/devtools-protocol/v8/Profiler/#type-Profile */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** The node of each sample. */
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

const SAMPLE_EVERY_US = 200;

/** Profiles the Worker whose inspector listens there while something happens. */
export async function profileWhile(port: number, act: () => Promise<void>): Promise<CpuProfile> {
  const answer = await fetch(`http://127.0.0.1:${port}/json`);
  const [target] = JSON.parse(await answer.text());
  const session = await openSession(target.webSocketDebuggerUrl);
  await session.call('Profiler.enable');
  await session.call('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US });
  await session.call('Profiler.start');
  await act();
  const { profile } = await session.call('Profiler.stop');
  session.close();
  return profile;
}

async function openSession(url: string) {
  const socket = new WebSocket(url);
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true });
    socket.addEventListener('error', () => reject(new Error(`${url} cannot be reached`)));
  });
  const asked = new Map<number, PromiseWithResolvers<{ profile: CpuProfile }>>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result, error } = JSON.parse(String(data));
    const waiting = asked.get(id);
    asked.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error.message));
  });
  let calls = 0;
  return {
    call(method: string, params: object = {}) {
      calls += 1;
      const waiting = Promise.withResolvers<{ profile: CpuProfile }>();
      asked.set(calls, waiting);
      socket.send(JSON.stringify({ id: calls, method, params }));
      return waiting.promise;
    },
    close: () => socket.close(),
  };
}
