/**
 * A schema that is made when something of it is first asked for: `z.lazy`, of which a start does not even
 * make the outside. zod takes some 10 µs and 2.5 KB for each, there are hundreds, and a Worker serves few
 * of the routes before it is done (docs/performance.md).
 */
import * as z from 'zod';

const makers = new WeakMap<object, () => z.ZodType>();

/** What a schema inherits from until it is made. Whatever is looked up then is looked up here. */
const untouched = new Proxy(
  {},
  {
    get(_target, key, schema) {
      const getter = makers.get(schema);
      // Somebody looks at what schemas inherit from, as drizzle does to tell what is a table.
      if (getter === undefined) return Reflect.get(z.ZodLazy.prototype, key);
      become(schema, getter);
      return Reflect.get(schema, key);
    },
  },
);

export function later<Schema extends z.ZodType>(getter: () => Schema): z.ZodLazy<Schema> {
  const schema = Object.create(untouched);
  makers.set(schema, getter);
  return schema;
}

/** The same object becomes the schema, since zod knows schemas by their identity. */
function become(schema: object, getter: () => z.ZodType): void {
  Object.setPrototypeOf(schema, z.ZodLazy.prototype);
  Reflect.apply(z.ZodLazy, schema, [{ type: 'lazy', getter }]);
}
