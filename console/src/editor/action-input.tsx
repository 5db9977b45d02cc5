/** The inputs of an action, by the catalog's own schema of it. */
import type { JsonObject } from '../../../src/contract/json.ts';
import { Problem } from '../api/client.ts';
import { useCatalog } from '../live/catalog.ts';
import { Loading } from '../ui/states.tsx';
import { SchemaForm } from './schema-form.tsx';

export function ActionInput({
  action,
  value,
  onInput,
  faults,
}: {
  action: string;
  value: JsonObject;
  onInput: (value: JsonObject) => void;
  faults: Error | null;
}) {
  const catalog = useCatalog();
  const schema = catalog?.actions.find(({ name }) => name === action)?.schema;
  if (schema === undefined) return <Loading rows={2} />;
  const told = faults instanceof Problem ? faults.errors : [];
  const own = told.map(({ path, message }) => ({ path: path.replace(/^input\./, ''), message }));
  return <SchemaForm schema={schema} value={value} onInput={onInput} faults={own} />;
}
