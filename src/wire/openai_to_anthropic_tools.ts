import { invalidValue, type ProxyError } from "../domain/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../std/json.ts";
import type { AnthropicRequest, ObjectSchema, Tool, ToolChoice } from "./anthropic.ts";
import type { AnthropicModel } from "./anthropic_models.ts";
import { mergeAllOf } from "./json_schema_merge.ts";
import { cacheControl } from "./openai_to_anthropic_cache.ts";
import { expected, given, givenList, givenText, objectAt } from "./openai_to_anthropic_fields.ts";

/** What tool names look like on both wires. */
export const TOOL_NAME = /^[a-zA-Z0-9_-]{1,128}$/;

/** The tools of a request as the model will see them. */
export interface Tooling {
  readonly tools: Tool[];
  readonly choice: ToolChoice | null;
  /** The field that leaves the model no choice but to call a tool, if one does. */
  readonly forcedBy: string | null;
  /** Whether the client used the older `functions`, and so wants `function_call` in the answer. */
  readonly legacy: boolean;
  readonly dropped: readonly string[];
}

/** A client's choice of tools in one form. Null leaves it to the model. */
type Choice =
  | { readonly kind: "auto" | "none" | "any" }
  | { readonly kind: "tool"; readonly name: string }
  | { readonly kind: "allowed"; readonly names: ReadonlySet<string>; readonly forced: boolean };

/**
 * Translates `tools`, `tool_choice` and `parallel_tool_calls`, or the older `functions` and `function_call`.
 *
 * @throws {ProxyError} If a tool or the choice has no counterpart, or the model cannot be forced.
 */
export function translateTools(body: JsonObject, model: AnthropicModel): Tooling {
  const dropped = new Set<string>();
  const functions = givenList(body, "functions", "functions");
  const list = givenList(body, "tools", "tools");
  const legacy = list === undefined && ("functions" in body || "function_call" in body);
  if (functions !== undefined && list !== undefined) {
    throw invalidValue("functions", 'Cannot translate "functions": "tools" is given too');
  }
  const tools = legacy
    ? functions?.map((value, index) => declared(value, `functions[${index}]`))
    : list?.map((value, index) => readTool(value, index, model, dropped));
  const param = legacy ? "function_call" : "tool_choice";
  const chosen = choose(tools, readChoice(given(body, param), param), param);
  const forced = chosen.choice?.type === "any" || chosen.choice?.type === "tool";
  if (forced && !model.forcedToolChoice) {
    const message = `Cannot translate "${param}": this model cannot be forced to call a tool`;
    throw invalidValue(param, message);
  }
  const parallel = given(body, "parallel_tool_calls") ?? true;
  if (typeof parallel !== "boolean") throw expected("parallel_tool_calls", "true or false");
  const serial = legacy || !parallel;
  return {
    tools: chosen.tools,
    choice: serial && chosen.tools.length > 0 ? withoutParallelCalls(chosen.choice) : chosen.choice,
    forcedBy: forced ? param : null,
    legacy,
    dropped: [...dropped],
  };
}

/**
 * Returns the tools of a request and how the model chooses among them.
 *
 * @param answerTool The tool that forms the answer, for a request without tools of its own.
 * @param called Names of the tools called in the conversation.
 */
export function toolFields(
  { tools, choice }: Tooling,
  answerTool: Tool | undefined,
  called: ReadonlySet<string>,
): Pick<AnthropicRequest, "tools" | "tool_choice"> {
  if (tools.length > 0) return choice === null ? { tools } : { tools, tool_choice: choice };
  // Calls in a conversation are refused upstream unless their tools are declared.
  const declaredAgain = [...called].map((name): Tool => {
    return { name, input_schema: { type: "object", properties: {} } };
  });
  if (answerTool !== undefined) {
    const { name } = answerTool;
    const forced: ToolChoice = { type: "tool", name, disable_parallel_tool_use: true };
    return { tools: [...declaredAgain, answerTool], tool_choice: forced };
  }
  if (declaredAgain.length === 0) return {};
  // The client gave no tools, so it could answer no call.
  return { tools: declaredAgain, tool_choice: { type: "none" } };
}

/** Makes a JSON schema fit for a tool; null if its root cannot be an object. */
export function toolSchema(parameters: JsonObject): ObjectSchema | null {
  const type = parameters["type"] ?? undefined;
  if (type !== undefined && type !== "object") return null;
  if (parameters["anyOf"] !== undefined || parameters["oneOf"] !== undefined) return null;
  if (parameters["allOf"] === undefined) return { ...parameters, type: "object" };
  const merged = mergeAllOf(parameters, parameters);
  return merged === null ? null : { ...merged, type: "object" };
}

function readTool(value: Json, index: number, model: AnthropicModel, dropped: Set<string>): Tool {
  const path = `tools[${index}]`;
  const tool = objectAt(value, path);
  if (tool["type"] !== "function") throw expected(`${path}.type`, '"function"');
  const declaration = objectAt(tool["function"], `${path}.function`);
  const translated = declared(declaration, `${path}.function`);
  const control = cacheControl(tool, path) ?? cacheControl(declaration, `${path}.function`);
  if (control !== undefined) translated.cache_control = control;
  if (declaration["strict"] === true) {
    if (model.jsonSchema) translated.strict = true;
    else dropped.add("tools");
  }
  return translated;
}

function declared(value: Json, path: string): Tool {
  const declaration = objectAt(value, path);
  const name = declaration["name"];
  if (typeof name !== "string" || !TOOL_NAME.test(name)) {
    throw expected(`${path}.name`, "up to 128 letters, digits, underscores and hyphens");
  }
  const parameters = given(declaration, "parameters") ?? { type: "object", properties: {} };
  const schema = isJsonObject(parameters) ? toolSchema(parameters) : null;
  if (schema === null) {
    throw expected(`${path}.parameters`, "a schema of an object without alternatives at its root");
  }
  const description = givenText(declaration, "description", `${path}.description`);
  return { name, ...(description ? { description } : {}), input_schema: schema };
}

function readChoice(value: Json | undefined, param: string): Choice | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return namedChoice(value, param);
  const choice = objectAt(value, param);
  if (param === "function_call") return functionChoice(choice, param);
  switch (choice["type"]) {
    case "function":
      return functionChoice(choice["function"] ?? choice, param);
    case "allowed_tools":
      return allowedChoice(objectAt(choice["allowed_tools"], `${param}.allowed_tools`), param);
    default:
      return namedChoice(choice["type"], param);
  }
}

function namedChoice(name: Json | undefined, param: string): Choice {
  if (name === "auto" || name === "none") return { kind: name };
  // "any" is what clients of the other wire call it.
  if ((name === "required" || name === "any") && param === "tool_choice") return { kind: "any" };
  throw expected(param, '"none", "auto", "required" or a function by name');
}

function functionChoice(called: Json, param: string): Choice {
  const name = isJsonObject(called) ? called["name"] : undefined;
  if (typeof name === "string") return { kind: "tool", name };
  throw expected(param, "a function with a name");
}

function allowedChoice(allowed: JsonObject, param: string): Choice {
  const path = `${param}.allowed_tools`;
  const mode = allowed["mode"];
  if (mode !== "auto" && mode !== "required")
    throw expected(`${path}.mode`, '"auto" or "required"');
  const names = new Set<string>();
  for (const [index, value] of (givenList(allowed, "tools", `${path}.tools`) ?? []).entries()) {
    const tool = objectAt(value, `${path}.tools[${index}]`);
    const named = isJsonObject(tool["function"]) ? tool["function"] : tool;
    if (typeof named["name"] !== "string") throw expected(`${path}.tools[${index}]`, "a function");
    names.add(named["name"]);
  }
  return { kind: "allowed", names, forced: mode === "required" };
}

/** Applies a choice to the tools there are. @throws {ProxyError} If it names one that is not there. */
function choose(
  tools: Tool[] | undefined,
  choice: Choice | null,
  param: string,
): { tools: Tool[]; choice: ToolChoice | null } {
  const needsTools = choice !== null && choice.kind !== "auto" && choice.kind !== "none";
  if (tools === undefined && needsTools) throw unknownTool(param);
  // An empty list is how some clients say that there are none, whatever they choose.
  if (tools === undefined || tools.length === 0) return { tools: [], choice: null };
  if (choice === null) return { tools, choice: null };
  if (choice.kind === "tool") {
    if (!tools.some((tool) => tool.name === choice.name)) throw unknownTool(param);
    return { tools, choice: { type: "tool", name: choice.name } };
  }
  if (choice.kind !== "allowed") return { tools, choice: { type: choice.kind } };
  const allowed = tools.filter((tool) => choice.names.has(tool.name));
  if (allowed.length === 0 || allowed.length < choice.names.size) throw unknownTool(param);
  return { tools: allowed, choice: { type: choice.forced ? "any" : "auto" } };
}

function unknownTool(param: string): ProxyError {
  return invalidValue(param, `Cannot translate "${param}": it names a tool that is not given`);
}

function withoutParallelCalls(choice: ToolChoice | null): ToolChoice {
  if (choice?.type === "none") return choice;
  return { ...(choice ?? { type: "auto" }), disable_parallel_tool_use: true };
}
