import type * as v from "valibot";

/** Any schema, whatever it reads. */
export type Schema = v.GenericSchema;

/** An object's schema, and what each of its members means. */
export interface Members {
  readonly schema: Schema;
  readonly about: Readonly<Record<string, string>>;
}

/** What a request may bring in its body. */
export interface Body extends Members {
  readonly example: unknown;
}

/** What an answer brings. */
export interface Answer {
  readonly about: string;
  /** Null if there is no body. */
  readonly schema: Schema | null;
  readonly example?: unknown;
  /** What an event stream brings instead, event by event, if the request can ask for one. */
  readonly stream?: { readonly schema: Schema; readonly example: string };
}

/** What a route is for, what it takes and what it answers: enough to use it without reading its code. */
export interface RouteDescription<Code extends string> {
  /** Names the operation in generated clients, such as `listBooks`: no two routes have the same. */
  readonly id: string;
  /** A few words in the imperative: `List books`. */
  readonly summary: string;
  /** Sentences for whoever wants to know more. */
  readonly about?: string;
  readonly query?: Members;
  readonly body?: Body;
  /** By status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** The codes of the errors that belong to this route, beside those that every route of its kind has. */
  readonly errors: readonly Code[];
}

/** Routes that belong together, by method and pattern: `GET /books/{bookId}`. */
export interface RouteGroup<Code extends string> {
  readonly name: string;
  readonly about: string;
  readonly routes: Readonly<Record<string, RouteDescription<Code>>>;
  /** The objects that answers are made of, by the name that they have in the document. */
  readonly schemas?: Readonly<Record<string, Schema>>;
}

/** A schema of an object: its entries are its members. */
type ObjectSchema<Entries extends v.ObjectEntries> = Schema & { readonly entries: Entries };

/**
 * Says what each member of an object means: the compiler asks for every one.
 *
 * @param instead Schemas to show in place of those that read a member, where code judges what a schema can say.
 */
export function members<const Entries extends v.ObjectEntries>(
  schema: ObjectSchema<Entries>,
  about: { readonly [Name in keyof Entries & string]: string },
  instead: { readonly [Name in keyof Entries]?: Schema } = {},
): Members {
  const shown = { ...schema, entries: { ...schema.entries, ...instead } };
  return { schema: shown, about };
}

/** Describes a request body by the schema that reads it, with an example that this schema takes. */
export function body<const Entries extends v.ObjectEntries, S extends ObjectSchema<Entries>>(
  schema: S & ObjectSchema<Entries>,
  about: { readonly [Name in keyof Entries & string]: string },
  example: v.InferInput<S>,
  instead: { readonly [Name in keyof Entries]?: Schema } = {},
): Body {
  return { ...members(schema, about, instead), example };
}

/** Describes an answer with a body, with an example that its schema takes. */
export function answer<S extends Schema>(
  about: string,
  schema: S,
  example: v.InferInput<S>,
): Answer {
  return { about, schema, example };
}

/** Describes an answer without a body. */
export function noBody(about: string): Answer {
  return { about, schema: null };
}
