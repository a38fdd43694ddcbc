import * as v from "valibot";
import { ManagementError } from "./error_response.ts";

/** The parameters of a query by name. A strict one takes no others, and each of them once. */
type QuerySchema =
  v.ObjectSchema<v.ObjectEntries, undefined> | v.StrictObjectSchema<v.ObjectEntries, undefined>;

/**
 * Reads the parameters that the schema names from a URL's query. What else stands there is not looked at, unless
 * the schema is strict.
 *
 * @throws {ManagementError} If a parameter has a wrong value, or a strict schema does not know it.
 */
export function readQuery<Schema extends QuerySchema>(
  query: URLSearchParams,
  schema: Schema,
): v.InferOutput<Schema> {
  if (schema.type === "strict_object") refuseOthers(query, schema);
  const given = Object.keys(schema.entries).flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  const result = v.safeParse(schema, Object.fromEntries(given), { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw invalid(String(issue.path?.[0]?.key), issue.message);
}

function refuseOthers(query: URLSearchParams, { entries }: QuerySchema): void {
  for (const name of new Set(query.keys())) {
    if (!Object.hasOwn(entries, name)) throw invalid(name, "there is no such parameter");
    if (query.getAll(name).length > 1) throw invalid(name, "it is given twice");
  }
}

function invalid(name: string, why: string): ManagementError {
  return new ManagementError("invalid_request", `Cannot use parameter "${name}": ${why}`);
}
