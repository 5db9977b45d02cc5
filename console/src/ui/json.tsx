/** JSON as a folded tree: what is large is closed until somebody opens it, and all of it is copyable. */

import type { Json as JsonValue } from '../../../src/contract/json.ts';
import { common } from '../strings/common.ts';
import { CopyButton } from './copy.tsx';
import { isJsonObject } from './json-kind.ts';
import { visible } from './text.ts';

const OPEN_DEPTH = 2;
const OPEN_ITEMS = 12;
const ITEMS_MAX = 200;

export function Json({ value, what }: { value: JsonValue; what: string }) {
  return (
    <div class="json">
      <CopyButton text={JSON.stringify(value, null, 2)} what={what} />
      <Node value={value} name={null} depth={0} />
    </div>
  );
}

function Node({ value, name, depth }: { value: JsonValue; name: string | null; depth: number }) {
  const label = name === null ? null : <span class="json-name">{visible(name)}: </span>;
  const entries = entriesOf(value);
  if (entries === null || entries.length === 0)
    return (
      <div class="json-leaf">
        {label}
        <Leaf value={value} />
      </div>
    );
  const isList = Array.isArray(value);
  return (
    <details open={depth < OPEN_DEPTH && entries.length <= OPEN_ITEMS}>
      <summary>
        {label}
        <span class="quiet">
          {isList ? common.items(entries.length) : common.fields(entries.length)}
        </span>
      </summary>
      <div class="json-inner">
        {entries.slice(0, ITEMS_MAX).map(([key, inner]) => (
          <Node key={key} value={inner} name={key} depth={depth + 1} />
        ))}
        {entries.length > ITEMS_MAX ? (
          <div class="quiet">{common.andMore(entries.length - ITEMS_MAX)}</div>
        ) : null}
      </div>
    </details>
  );
}

function Leaf({ value }: { value: JsonValue }) {
  if (typeof value === 'string')
    return <span class="json-text">{visible(JSON.stringify(value))}</span>;
  return <span class="json-plain">{JSON.stringify(value)}</span>;
}

function entriesOf(value: JsonValue): (readonly [string, JsonValue])[] | null {
  if (isJsonObject(value)) return Object.entries(value);
  if (typeof value === 'object' && value !== null)
    return Array.from(value, (item, at) => [String(at), item] as const);
  return null;
}
