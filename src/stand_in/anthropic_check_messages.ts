import type { Block } from "./anthropic_blocks.ts";
import type { ModelRules } from "./anthropic_models.ts";
import { blocksOf, type Message, type MessagesRequest } from "./anthropic_request.ts";

const BREAKPOINTS_MAX = 4;

/** Returns what the API would object to in system and messages, or null if nothing. */
export function messagesProblem(request: MessagesRequest, rules: ModelRules): string | null {
  return (
    textProblem(request) ??
    roleProblem(request, rules) ??
    toolProblem(request) ??
    prefillProblem(request, rules) ??
    breakpointProblem(request)
  );
}

function textProblem(request: MessagesRequest): string | null {
  const system = typeof request.system === "string" ? [] : (request.system ?? []);
  if (system.some((block) => block.text.trim() === ""))
    return "system: text content blocks must be non-empty";
  for (const [index, message] of request.messages.entries()) {
    const blocks = blocksOf(message);
    const last = index === request.messages.length - 1 && message.role === "assistant";
    if (blocks.length === 0 && !last)
      return `messages.${index}: all messages must have non-empty content except for the optional final assistant message`;
    for (const block of blocks.flatMap(withInner)) {
      if (block.type === "text" && block.text.trim() === "")
        return "messages: text content blocks must be non-empty";
    }
  }
  return null;
}

function withInner(block: Block): Block[] {
  if (block.type !== "tool_result" || !Array.isArray(block.content)) return [block];
  return [block, ...block.content];
}

function roleProblem(request: MessagesRequest, rules: ModelRules): string | null {
  for (const [index, message] of request.messages.entries()) {
    if (message.role === "system") {
      if (!rules.systemMessages)
        return `messages.${index}.role: role 'system' is not supported on this model`;
      if (request.messages[index - 1]?.role !== "user")
        return `messages.${index}.role: role 'system' must follow a user message`;
    }
    for (const block of blocksOf(message)) {
      if (!allowed(message, block))
        return `messages.${index}.content: '${block.type}' blocks are not permitted in ${message.role} messages`;
    }
  }
  return null;
}

function allowed(message: Message, block: Block): boolean {
  if (block.type === "text") return true;
  const spoken = ["tool_use", "thinking", "redacted_thinking"].includes(block.type);
  return message.role === "assistant" ? spoken : message.role === "user" && !spoken;
}

/** Turns of one role are one turn to the API, so what must follow a turn may stand in its next part. */
function turnsOf(request: MessagesRequest): { role: string; blocks: Block[] }[] {
  const turns: { role: string; blocks: Block[] }[] = [];
  for (const message of request.messages) {
    const last = turns.at(-1);
    if (last?.role === message.role) last.blocks.push(...blocksOf(message));
    else turns.push({ role: message.role, blocks: [...blocksOf(message)] });
  }
  return turns;
}

function toolProblem(request: MessagesRequest): string | null {
  const turns = turnsOf(request);
  const seen = new Set<string>();
  for (const [index, turn] of turns.entries()) {
    const uses = turn.blocks.flatMap((block) => (block.type === "tool_use" ? [block.id] : []));
    for (const id of uses) {
      if (seen.has(id)) return "messages: `tool_use` ids must be unique";
      seen.add(id);
    }
    const results = resultsOf(turns[index + 1]?.blocks);
    const missing = uses.filter((id) => !results.includes(id));
    if (missing.length > 0)
      return (
        `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ` +
        `${missing.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`
      );
    const problem = resultProblem(turn.blocks, turns[index - 1]?.blocks ?? [], index);
    if (problem !== null) return problem;
  }
  return null;
}

function resultsOf(blocks: readonly Block[] = []): string[] {
  return blocks.flatMap((block) => (block.type === "tool_result" ? [block.tool_use_id] : []));
}

function resultProblem(
  blocks: readonly Block[],
  before: readonly Block[],
  index: number,
): string | null {
  const results = resultsOf(blocks);
  const stray = results.find(
    (id) => !before.some((block) => block.type === "tool_use" && block.id === id),
  );
  if (stray !== undefined)
    return `messages.${index}.content: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`;
  if (new Set(results).size < results.length)
    return `messages.${index}.content: each tool_use must have a single result`;
  const firstOther = blocks.findIndex((block) => block.type !== "tool_result");
  const late = blocks.slice(Math.max(0, firstOther)).some((block) => block.type === "tool_result");
  return firstOther !== -1 && late
    ? `messages.${index}.content: \`tool_result\` blocks must come before other content`
    : null;
}

function prefillProblem(request: MessagesRequest, rules: ModelRules): string | null {
  const last = request.messages.at(-1);
  if (last?.role !== "assistant") return null;
  if (!rules.prefill)
    return "This model does not support assistant message prefill. The conversation must end with a user message.";
  const block = blocksOf(last).at(-1);
  if (block?.type === "text" && /\s$/.test(block.text))
    return "messages: final assistant content cannot end with trailing whitespace";
  if (request.thinking?.type === "enabled") return "messages: prefill is not allowed with thinking";
  return null;
}

function breakpointProblem(request: MessagesRequest): string | null {
  const system = typeof request.system === "string" ? [] : (request.system ?? []);
  const blocks = [
    ...system,
    ...request.messages.flatMap(blocksOf),
    ...(request.tools ?? []),
    request,
  ];
  const found = blocks.filter((block) => "cache_control" in block && block.cache_control != null);
  if (found.length <= BREAKPOINTS_MAX) return null;
  return `A maximum of ${BREAKPOINTS_MAX} blocks with cache_control may be provided. Found ${found.length}.`;
}
