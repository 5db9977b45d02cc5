/**
 * The schemas of an OpenAPI document, all made at once: those with an id of their own become components,
 * the others stand where they are used. zod knows JSON Schema; what OpenAPI has besides is here.
 */
import * as z from 'zod';
import type { JsonObject } from '../contract/json.ts';

/** As it is taken in or as it is given out: with a default, only the latter is sure to be there. */
export type Direction = 'input' | 'output';

/** In the document it stands for a schema, and is filled in with it. */
type Place = Record<string, unknown>;

const COMPONENTS = '#/components/schemas/';

export class Schemas {
  readonly #used: Record<Direction, { schema: z.ZodType; place: Place }[]> = {
    input: [],
    output: [],
  };

  /** What stands for the schema, once `components` was asked for. */
  use(direction: Direction, schema: z.ZodType): Place {
    const place: Place = {};
    this.#used[direction].push({ schema, place });
    return place;
  }

  /**
   * Fills in all that is used. Throws for a schema with an id that is taken in otherwise than given out:
   * those are two. @returns what the places point to, by name
   */
  components(): JsonObject {
    const [taken, given] = [this.#make('input'), this.#make('output')];
    for (const [id, schema] of Object.entries(taken))
      if (id in given && JSON.stringify(given[id]) !== JSON.stringify(schema))
        throw new Error(`${id} is not the same in and out`);
    return { ...taken, ...given };
  }

  #make(direction: Direction): JsonObject {
    const used = this.#used[direction];
    const all = z.object(Object.fromEntries(used.map(({ schema }, n) => [`_${n}`, schema])));
    const made = z.toJSONSchema(all, { io: direction });
    const text = JSON.stringify(made).replaceAll('"#/$defs/', `"${COMPONENTS}`);
    const { properties, $defs }: { properties: Record<string, object>; $defs?: JsonObject } =
      JSON.parse(text);
    for (const [n, { place }] of used.entries()) Object.assign(place, properties[`_${n}`]);
    return $defs ?? {};
  }
}
