import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import type { Members, Schema } from "../../std/route_description.ts";

export type { JsonSchema };

/** Turns schemas into JSON Schema. Those that have a name are referred to by it. */
export class Converter {
  readonly #named: Readonly<Record<string, Schema>>;

  constructor(named: Readonly<Record<string, Schema>>) {
    this.#named = named;
  }

  /** Converts every schema that has a name. */
  components(): Record<string, JsonSchema> {
    const entries = Object.entries(this.#named).map(([name, schema]) => {
      // A copy is no longer the one that is referred to by its name.
      return [name, this.convert({ ...schema })] as const;
    });
    return Object.fromEntries(entries);
  }

  /** Converts a schema. @throws {Error} If it asks for something that JSON Schema cannot say. */
  convert(schema: Schema): JsonSchema {
    const {
      $schema: _,
      $defs: __,
      ...converted
    } = toJsonSchema(schema, {
      target: "draft-2020-12",
      typeMode: "input",
      errorMode: "throw",
      definitions: this.#named,
      overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
      overrideAction: ({ valibotAction, jsonSchema }) => {
        if (valibotAction.type !== "check") return null;
        return { ...jsonSchema, description: demandOf(valibotAction) };
      },
    });
    return plain(converted);
  }

  /** Converts an object's schema, and says what its members mean. */
  members({ schema, about }: Members): JsonSchema {
    const converted = this.convert(schema);
    const properties: Record<string, JsonSchema> = {};
    for (const [name, member] of Object.entries(converted.properties ?? {})) {
      const known = typeof member === "boolean" ? {} : member;
      properties[name] = { ...known, description: sentences(about[name], known.description) };
    }
    return { ...converted, properties };
  }
}

/** Joins texts that have no full stop at their end. */
function sentences(...texts: readonly (string | undefined)[]): string {
  return texts.filter((text) => text !== undefined && text !== "").join(". ");
}

/** What a check by code asks for, from the words in which it refuses. */
function demandOf(action: object): string {
  const message = "message" in action ? action.message : null;
  if (typeof message !== "string") throw new Error("Cannot describe check: it has no message");
  const demand = message.replace(/^expected /, "");
  return demand.charAt(0).toUpperCase() + demand.slice(1);
}

/** Writes "this or null" in the short form and leaves out what says nothing, everywhere. */
function plain(schema: JsonSchema): JsonSchema {
  // Every name is a text.
  const { anyOf, properties, items, required = [], propertyNames: _, ...rest } = schema;
  const shallow: JsonSchema = { ...rest };
  if (required.length > 0) shallow.required = required;
  if (properties !== undefined) {
    shallow.properties = Object.fromEntries(
      Object.entries(properties).map(([name, member]) => [name, plainOf(member)]),
    );
  }
  if (items !== undefined && !Array.isArray(items)) shallow.items = plainOf(items);
  if (anyOf === undefined) return shallow;
  const options = anyOf.map(plainOf);
  const [first] = options;
  const isNullable = options.length === 2 && isNull(options[1]);
  if (!isNullable || typeof first !== "object" || typeof first.type !== "string") {
    return { ...shallow, anyOf: options };
  }
  return { ...first, ...shallow, type: [first.type, "null"], ...withNull(first) };
}

function plainOf(schema: JsonSchema | boolean): JsonSchema | boolean {
  return typeof schema === "boolean" ? schema : plain(schema);
}

function isNull(schema: JsonSchema | boolean | undefined): boolean {
  return typeof schema === "object" && schema.type === "null";
}

function withNull({ enum: words }: JsonSchema): JsonSchema {
  return words === undefined ? {} : { enum: [...words, null] };
}
