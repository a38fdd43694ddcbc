import { html, type Html, joined, prose } from "./html.ts";
import type { JsonSchema } from "./json_schema.ts";

/** How deep members of members are shown: beyond that their own names have to do. */
const DEPTH_MAX = 4;

/** Where members stand. Of a request those are marked that it must bring, of an answer those that it may lack. */
interface Place {
  readonly where: "request" | "answer";
  readonly depth: number;
}

/** Shows what a body is made of: the members of an object, or what it is instead. */
export function memberList(schema: JsonSchema, where: Place["where"]): Html {
  if (membersOf(schema).length === 0) return html`<p class="type">${typeOf(schema)}</p>`;
  return listOf(innerOf(schema), { where, depth: 0 });
}

/** Shows one thing with a name: a member, or a parameter. */
export function memberItem(name: string, schema: JsonSchema, mark: string, inner?: Html): Html {
  const { description = "" } = schema;
  return html`<dt>
      <code class="name">${name}</code> <span class="type">${typeOf(schema)}</span>${
        mark === "" ? null : html` <span class="${mark}">${mark}</span>`
      }
    </dt>
    <dd>
      ${description === "" ? null : html`<p>${prose(description)}</p>`}${boundsOf(schema)}${
        inner ?? null
      }
    </dd> `;
}

function listOf(schema: JsonSchema, place: Place): Html {
  const { where, depth } = place;
  const required = new Set(schema.required);
  const items = membersOf(schema).map(([name, member]) => {
    const isMarked = required.has(name) === (where === "request");
    const mark = where === "request" ? "required" : "optional";
    const isShallow = membersOf(member).length === 0 || depth >= DEPTH_MAX;
    const inner = isShallow ? undefined : listOf(innerOf(member), { where, depth: depth + 1 });
    return memberItem(name, member, isMarked ? mark : "", inner);
  });
  return html`<dl class="members">${items}</dl> `;
}

/** Returns the object that a member is, or is made of, or that the schema is itself. */
function innerOf(schema: JsonSchema): JsonSchema {
  const { items, properties } = schema;
  if (properties !== undefined || typeof items !== "object" || Array.isArray(items)) return schema;
  return innerOf(items);
}

function membersOf(schema: JsonSchema): [string, JsonSchema][] {
  const { properties = {} } = innerOf(schema);
  return Object.entries(properties).map(([name, member]) => [
    name,
    typeof member === "boolean" ? {} : member,
  ]);
}

/** Says what a value is: a word, or a link to the object that it is. */
function typeOf(schema: JsonSchema): Html {
  const { $ref, type, format, items, anyOf } = schema;
  if ($ref !== undefined) {
    const name = $ref.split("/").at(-1) ?? "";
    return html`<a href="#object-${name}">${name}</a>`;
  }
  if (anyOf !== undefined) return oneOf(anyOf);
  if ("const" in schema) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (Array.isArray(type)) {
    return joined(
      type.map((one) => typeOf({ ...schema, type: one })),
      " or ",
    );
  }
  if (type === "array" && typeof items === "object" && !Array.isArray(items)) {
    return html`array of ${typeOf(items)}`;
  }
  if (type === "string" && format === "date-time") return html`RFC 3339 time`;
  if (type === "string" && format === "uuid") return html`UUID`;
  return html`${type ?? "any"}`;
}

function oneOf(options: NonNullable<JsonSchema["anyOf"]>): Html {
  const types = options.map((option) => (typeof option === "boolean" ? html`any` : typeOf(option)));
  const different = [...new Map(types.map((type) => [type.text, type])).values()];
  return joined(different, " or ");
}

/** Shows what a value must keep to, where people could not guess it. */
function boundsOf(schema: JsonSchema): Html | null {
  const words = schema.enum?.filter((word) => word !== null) ?? [];
  const parts = [
    words.length === 0 ? null : html`One of ${listed(words.map((word) => code(word)))}`,
    rangeOf(schema),
    schema.default === undefined || schema.default === null || schema.default === ""
      ? null
      : html`Default ${code(schema.default)}`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : html`<p class="bounds">${joined(parts, ". ")}</p>`;
}

function rangeOf({ minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: JsonSchema): Html | null {
  if (maximum !== Number.MAX_SAFE_INTEGER) {
    return html`${grouped(minimum)} to ${grouped(maximum)}`;
  }
  return minimum > 0 ? html`${grouped(minimum)} or more` : null;
}

function grouped(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

function code(value: unknown): Html {
  return html`<code>${typeof value === "string" ? value : JSON.stringify(value)}</code>`;
}

function listed(items: readonly Html[]): Html {
  return joined(items, ", ");
}
