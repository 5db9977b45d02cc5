/** Schemas that are made later are schemas like any other. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { later } from '../../src/contract/later.ts';

describe('a schema that is made later', () => {
  it('is made when something of it is asked for, once', () => {
    let made = 0;
    const size = later(() => {
      made += 1;
      return z.int().min(1);
    });
    const box = later(() => z.object({ width: size, height: size.optional() }));
    expect(made).toBe(0);
    expect(box.parse({ width: 2 })).toEqual({ width: 2 });
    expect(box.safeParse({ width: 0, height: 0 }).error?.issues).toHaveLength(2);
    expect(made).toBe(1);
  });

  it('is told from others as any schema is', () => {
    const name = later(() => z.string());
    expect(name instanceof z.ZodLazy).toBe(true);
    expect(later(() => z.string()) instanceof z.ZodString).toBe(false);
    expect(name.unwrap().parse('Ada')).toBe('Ada');
  });

  it('is what its kind is, to whoever looks at what it inherits from', () => {
    let made = 0;
    const name = later(() => {
      made += 1;
      return z.string();
    });
    expect(Object.getPrototypeOf(name).constructor).toBe(z.ZodLazy);
    expect(made).toBe(0);
    expect(name.parse('Ada')).toBe('Ada');
  });

  it('has its place in a JSON schema, by its id, wherever it is used', () => {
    const money = later(() => z.object({ amount: z.int() }).meta({ id: 'TestMoney' }));
    const told = later(() => z.string().optional());
    const shown = z.toJSONSchema(z.object({ paid: money, back: money.nullable(), told }));
    expect(shown).toMatchObject({ required: ['paid', 'back'] });
    expect(Object.keys(shown.$defs ?? {})).toEqual(['TestMoney']);
  });

  it('may name itself', () => {
    interface Tree {
      readonly below: readonly Tree[];
    }
    const tree: z.ZodType<Tree> = later(() => z.object({ below: z.array(tree) }));
    expect(tree.safeParse({ below: [{ below: [] }] }).success).toBe(true);
    expect(tree.safeParse({ below: [{}] }).success).toBe(false);
  });
});
