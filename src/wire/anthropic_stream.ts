import type { Usage } from "../domain/usage.ts";
import { isJsonObject, type Json, type JsonObject, parseJsonObject } from "../std/json.ts";
import { dataEvent, type SseEvent } from "../std/sse.ts";
import { ChunkWriter } from "./anthropic_chunks.ts";
import { anthropicFault } from "./anthropic_fault.ts";
import { type AnswerForm, finishReason, refusalText } from "./anthropic_to_openai.ts";
import { type AnthropicUsage, readAnthropicUsage, usageOf } from "./anthropic_usage.ts";
import { type StreamTranslation, UpstreamFault } from "./translation.ts";

/** Bounds the blocks that a stream may hold open at a time; the wire has one. */
export const MAX_OPEN_BLOCKS = 64;

/** Bounds the thinking that is kept for `thinking_blocks`, in characters. Beyond it none are given out. */
export const MAX_KEPT_THINKING_CHARS = 1 << 20;

/** What an open content block of the stream turns into. */
type OpenBlock =
  | { readonly kind: "text" }
  | { readonly kind: "thinking"; thinking: string; signature: string }
  | { readonly kind: "call"; readonly index: number; readonly input: string; written: boolean }
  | { readonly kind: "json"; readonly input: string; written: boolean };

/**
 * Translates the event stream of one message into chunks. Holds no text of the answer: what comes in goes
 * out, but for thinking that has to be given out as whole blocks at the end.
 */
export class AnthropicStream implements StreamTranslation {
  servedModel: string | null = null;
  outputBytes = 0;
  done = false;

  readonly #form: AnswerForm;
  readonly #chunks: ChunkWriter;
  readonly #blocks = new Map<Json | undefined, OpenBlock>();
  #started = false;
  #usage: AnthropicUsage | null = null;
  #calls = 0;
  #stopReason: Json = null;
  #stopDetails: Json | undefined = null;
  #thinkingBlocks: object[] = [];
  #keptChars = 0;

  constructor(form: AnswerForm) {
    this.#form = form;
    this.#chunks = new ChunkWriter(form);
  }

  get usage(): Usage | null {
    return usageOf(this.#usage);
  }

  /** Characters kept until the end of the stream: what bounds its memory. */
  get keptChars(): number {
    return this.#keptChars;
  }

  push(event: SseEvent): string {
    if (this.done) return "";
    if (event.name === "ping") return PING;
    const message = parseJsonObject(event.data);
    if (message === null) {
      throw new UpstreamFault("Cannot read event: it is no JSON object", { interrupted: true });
    }
    switch (message["type"]) {
      case "ping":
        return PING;
      case "error":
        throw anthropicFault(message);
      case "message_start":
        return this.#start(message["message"]);
      case "content_block_start":
        return this.#openBlock(message["index"], message["content_block"]);
      case "content_block_delta":
        return this.#delta(message["index"], message["delta"]);
      case "content_block_stop":
        return this.#closeBlock(message["index"]);
      case "message_delta":
        this.#readEnd(message);
        return "";
      case "message_stop":
        this.#expectStarted();
        this.done = true;
        return "";
      default:
        // New types of events come without notice and are to be passed over.
        if (event.name === "error") throw anthropicFault(message);
        return "";
    }
  }

  end(estimate: () => Usage): string {
    if (!this.done) {
      throw new UpstreamFault("Cannot complete stream: the provider ended it before its end", {
        interrupted: true,
      });
    }
    let text = "";
    if (this.#thinkingBlocks.length > 0) {
      text += this.#chunks.delta({ thinking_blocks: this.#thinkingBlocks });
    }
    if (this.#stopReason === "refusal") {
      text += this.#chunks.text("refusal", refusalText(this.#stopDetails));
    }
    const reason = finishReason(this.#stopReason, this.#form, this.#calls > 0);
    return text + this.#chunks.finish(reason, this.usage ?? estimate()) + dataEvent("[DONE]");
  }

  #expectStarted(): void {
    if (!this.#started) throw new UpstreamFault("Cannot read stream: it begins with no message");
  }

  #start(message: Json | undefined): string {
    if (!isJsonObject(message))
      throw new UpstreamFault("Cannot read stream: its message is no object");
    // A second beginning has nothing new to say.
    if (this.#started) return "";
    this.#started = true;
    const model = message["model"];
    if (typeof model === "string" && model !== "") this.servedModel = model;
    this.#usage = readAnthropicUsage(message["usage"]);
    let text = this.#chunks.delta({ role: "assistant", content: "", refusal: null });
    const filled = Array.isArray(message["content"]) ? message["content"] : [];
    // Blocks that are there from the start never get an event of their own.
    for (const block of filled) text += this.#openBlock(null, block) + this.#closeBlock(null);
    return text;
  }

  #openBlock(index: Json | undefined, block: Json | undefined): string {
    this.#expectStarted();
    this.#blocks.delete(index);
    if (!isJsonObject(block)) return "";
    if (this.#blocks.size >= MAX_OPEN_BLOCKS) {
      throw new UpstreamFault(`Cannot read stream: more than ${MAX_OPEN_BLOCKS} blocks are open`);
    }
    switch (block["type"]) {
      case "text":
        this.#blocks.set(index, { kind: "text" });
        return this.#text("content", block["text"]);
      case "thinking":
        return this.#openThinking(index, block);
      case "redacted_thinking":
        this.#keep({ type: "redacted_thinking", data: block["data"] ?? "" }, block["data"]);
        return "";
      case "tool_use":
        return this.#openCall(index, block);
      default:
        // What the provider's own tools do is not the client's.
        return "";
    }
  }

  #openThinking(index: Json | undefined, block: JsonObject): string {
    const opened: OpenBlock = { kind: "thinking", thinking: "", signature: "" };
    this.#blocks.set(index, opened);
    if (this.#form.thinkingBlocks) {
      this.#appendKept(opened, "thinking", block["thinking"]);
      this.#appendKept(opened, "signature", block["signature"]);
    }
    return this.#text("reasoning_content", block["thinking"]);
  }

  #openCall(index: Json | undefined, block: JsonObject): string {
    const input = JSON.stringify(block["input"] ?? {});
    if (block["name"] === this.#form.jsonTool) {
      this.#blocks.set(index, { kind: "json", input, written: false });
      return "";
    }
    const call = this.#calls;
    this.#calls += 1;
    this.#blocks.set(index, { kind: "call", index: call, input, written: false });
    const name = block["name"] ?? "";
    if (this.#form.functionCall) {
      return call > 0 ? "" : this.#chunks.delta({ function_call: { name, arguments: "" } });
    }
    const id = block["id"] ?? "";
    const first = { index: call, id, type: "function", function: { name, arguments: "" } };
    return this.#chunks.delta({ tool_calls: [first] });
  }

  #delta(index: Json | undefined, delta: Json | undefined): string {
    this.#expectStarted();
    const block = this.#blocks.get(index);
    if (block === undefined || !isJsonObject(delta)) return "";
    switch (block.kind) {
      case "text":
        return delta["type"] === "text_delta" ? this.#text("content", delta["text"]) : "";
      case "thinking":
        return this.#thinkingDelta(block, delta);
      default:
        return delta["type"] === "input_json_delta"
          ? this.#input(block, delta["partial_json"])
          : "";
    }
  }

  #thinkingDelta(block: Extract<OpenBlock, { kind: "thinking" }>, delta: JsonObject): string {
    const keeps = this.#form.thinkingBlocks;
    if (delta["type"] === "signature_delta") {
      if (keeps) this.#appendKept(block, "signature", delta["signature"]);
      return "";
    }
    if (delta["type"] !== "thinking_delta") return "";
    if (keeps) this.#appendKept(block, "thinking", delta["thinking"]);
    return this.#text("reasoning_content", delta["thinking"]);
  }

  #input(block: Extract<OpenBlock, { kind: "call" | "json" }>, json: Json | undefined): string {
    if (typeof json !== "string" || json === "") return "";
    block.written = true;
    if (block.kind === "json") return this.#text("content", json);
    this.outputBytes += Buffer.byteLength(json);
    if (!this.#form.functionCall) {
      return this.#chunks.delta({
        tool_calls: [{ index: block.index, function: { arguments: json } }],
      });
    }
    return block.index > 0 ? "" : this.#chunks.delta({ function_call: { arguments: json } });
  }

  #closeBlock(index: Json | undefined): string {
    const block = this.#blocks.get(index);
    if (block === undefined) return "";
    this.#blocks.delete(index);
    if (block.kind === "thinking") {
      const { thinking, signature } = block;
      if (signature !== "") this.#keep({ type: "thinking", thinking, signature }, "");
      return "";
    }
    // Without a single delta the input is what the block began with, nearly always {}.
    if (block.kind === "text" || block.written) return "";
    return this.#input(block, block.input);
  }

  #text(member: "content" | "reasoning_content", text: Json | undefined): string {
    if (typeof text !== "string" || text === "") return "";
    this.outputBytes += Buffer.byteLength(text);
    return this.#chunks.text(member, text);
  }

  #readEnd(message: JsonObject): void {
    this.#expectStarted();
    this.#usage = readAnthropicUsage(message["usage"], this.#usage);
    const delta = message["delta"];
    if (!isJsonObject(delta)) return;
    this.#stopReason = delta["stop_reason"] ?? this.#stopReason;
    this.#stopDetails = delta["stop_details"] ?? this.#stopDetails;
  }

  #appendKept(
    block: Extract<OpenBlock, { kind: "thinking" }>,
    member: "thinking" | "signature",
    text: Json | undefined,
  ): void {
    if (typeof text !== "string" || !this.#fits(text)) return;
    block[member] += text;
  }

  #keep(block: object, text: Json | undefined): void {
    if (!this.#form.thinkingBlocks) return;
    // An empty block takes room too.
    if (this.#fits(`${typeof text === "string" ? text : ""}${BLOCK_FRAME}`)) {
      this.#thinkingBlocks.push(block);
    }
  }

  /** Counts what is kept. A block that is cut short proves nothing, so past the bound all are let go. */
  #fits(text: string): boolean {
    this.#keptChars += text.length;
    if (this.#keptChars <= MAX_KEPT_THINKING_CHARS) return true;
    this.#thinkingBlocks = [];
    for (const block of this.#blocks.values()) {
      if (block.kind === "thinking") block.thinking = block.signature = "";
    }
    return false;
  }
}

const PING = ": ping\n\n";
const BLOCK_FRAME = '{"type":"redacted_thinking","data":""}';
