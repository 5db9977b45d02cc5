/** Rows that a statement is given as one JSON list, its second value: any number of them in one statement. */

/**
 * Each row under a name. By the OFFSET, SQLite leaves the inner query as it is
 * (https://sqlite.org/optoverview.html#flattening); it would make a row's text anew for each of its fields.
 */
export function givenAs(name: string): string {
  return `(SELECT value AS ${name} FROM json_each(?2) LIMIT -1 OFFSET 0)`;
}
