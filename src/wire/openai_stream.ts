import type { Usage } from "../domain/usage.ts";
import { isJsonObject, type Json, type JsonObject, parseJsonObject } from "../std/json.ts";
import { dataEvent, type SseEvent } from "../std/sse.ts";
import { editAnswer } from "./edit_answer.ts";
import { ChunkTemplate } from "./chunk_template.ts";
import { choiceBytes } from "./openai_output_bytes.ts";
import type { OpenAiQuirks } from "./openai_quirks.ts";
import { toOpenAiUsage } from "./openai_usage.ts";
import { addsUp, readOpenAiUsage } from "./read_openai_usage.ts";
import { type ClientRequest, type StreamTranslation, UpstreamFault } from "./translation.ts";

/** A stream whose chunks never look alike is not worth more lessons than this. */
const MAX_LESSONS = 8;

/** The last event of every complete stream of the OpenAI wire. */
export const DONE = "[DONE]";

/**
 * Passes a chat stream through: each chunk keeps its bytes but for the model name and the place of usage.
 *
 * Usage reaches the client once, in the terminal chunk: in a chunk of its own with empty `choices` if the
 * client asked for it, else on the chunk with `finish_reason`, which is held back until usage is known.
 * Chunks with empty `choices` that nobody asked for are swallowed: clients crash on them.
 */
export class OpenAiStream implements StreamTranslation {
  usage: Usage | null = null;
  servedModel: string | null = null;
  outputBytes = 0;
  done = false;

  readonly #includeUsage: boolean;
  readonly #model: string;
  readonly #rewrite: ((chunk: JsonObject) => JsonObject | null) | null;
  /** The newest finish chunk (usage not asked for) or the usage chunk (asked for), and what came after it. */
  #held: string | null = null;
  #afterHeld = "";
  /** The provider's own usage object, to be shown as it was given. */
  #usageText: string | null = null;
  #usageSent = false;
  /** How many choices the client asked for, and how many have finished. */
  readonly #choices: number;
  #finished = 0;
  #last: JsonObject = {};
  #template: ChunkTemplate | null = null;
  /** The model that chunks of the template say served them. */
  #templateModel: string | null = null;
  #lessons = 0;

  constructor(request: ClientRequest, quirks: OpenAiQuirks) {
    this.#includeUsage = request.includeUsage;
    this.#model = JSON.stringify(request.requestedModel);
    const n = request.body["n"];
    this.#choices = typeof n === "number" ? n : 1;
    this.#rewrite = quirks.chunks?.() ?? null;
  }

  push(event: SseEvent): string {
    if (this.done) return "";
    // No chunk begins like it, and some providers put a space behind it.
    if (event.data.startsWith(DONE)) {
      this.done = true;
      return "";
    }
    const known = this.#known(event);
    if (known !== null) return known;
    const given = parseJsonObject(event.data);
    if (given === null)
      throw new UpstreamFault("Cannot read chunk: the provider sent no JSON object");
    if (given["error"] || event.name === "error") throw errorEvent(given);
    const chunk = this.#rewrite === null ? given : this.#rewrite(given);
    if (chunk === null) return "";
    this.#read(chunk);
    const text = chunk === given ? event.data : JSON.stringify(chunk);
    const choices = chunk["choices"];
    if (!Array.isArray(choices) || choices.length === 0) return this.#withoutChoices(chunk, text);
    const finishes = choices.filter(hasFinish).length;
    if (finishes === 0 && this.#onlyReports(chunk)) return this.#withoutChoices(chunk, text);
    this.#finished += finishes;
    this.#last = chunk;
    const alone = this.#held === null && finishes === 0 && chunk === given;
    const passed = this.#withChoices(finishes > 0, text);
    if (alone) this.#learn(given, event.data, passed);
    return passed;
  }

  /** Passes a chunk on that is like those before it, but for its piece of text; null if it is not. */
  #known(event: SseEvent): string | null {
    if (this.#template === null || this.#held !== null || event.name !== "") return null;
    const edited = this.#template.edit(event.data);
    return edited === null ? null : this.#counted(edited, this.#template);
  }

  known(piece: Uint8Array): Uint8Array | null {
    if (this.done || this.#template === null || this.#held !== null) return null;
    const edited = this.#template.editBytes(piece);
    return edited === null ? null : this.#counted(edited, this.#template);
  }

  #counted<Edited>(edited: Edited, { contentBytes }: ChunkTemplate): Edited {
    this.outputBytes += contentBytes;
    this.servedModel = this.#templateModel ?? this.servedModel;
    return edited;
  }

  #learn(chunk: JsonObject, text: string, passed: string): void {
    if (this.#lessons === MAX_LESSONS) return;
    const template = ChunkTemplate.learn(chunk, text, passed);
    if (template === null) return;
    this.#template = template;
    this.#templateModel = modelOf(chunk);
    this.#lessons += 1;
  }

  end(estimate: () => Usage): string {
    const complete = this.#finished > 0 && (this.done || this.usage !== null);
    if (!complete) {
      const cut = this.done ? "without a finish reason" : "before its end";
      throw new UpstreamFault(`Cannot complete stream: the provider ended it ${cut}`, {
        interrupted: true,
      });
    }
    this.done = true;
    this.#usageText ??= JSON.stringify(toOpenAiUsage(this.usage ?? estimate()));
    return this.#releaseWithUsage() + dataEvent(DONE);
  }

  /** Takes what the meter needs from a chunk. Usage may stand on any; the last report counts. */
  #read(chunk: JsonObject): void {
    this.servedModel = modelOf(chunk) ?? this.servedModel;
    this.outputBytes += choiceBytes(chunk["choices"], "delta");
    const reported = chunk["usage"];
    const usage = readOpenAiUsage(reported);
    if (usage === null) return;
    this.usage = usage;
    const shown = addsUp(reported as JsonObject) ? reported : toOpenAiUsage(usage);
    this.#usageText = JSON.stringify(shown);
  }

  /** Whether a chunk has choices for form's sake: some providers report usage beside an empty delta. */
  #onlyReports(chunk: JsonObject): boolean {
    if (!chunk["usage"] || this.#finished < this.#choices) return false;
    return choiceBytes(chunk["choices"], "delta") === 0;
  }

  #withChoices(finishes: boolean, text: string): string {
    if (this.#includeUsage) {
      return this.#release() + this.#edited(text, { usage: "null" });
    }
    const before = this.#release();
    if (!finishes || this.#usageSent) return before + this.#edited(text, { usage: undefined });
    this.#held = text;
    return before;
  }

  #withoutChoices(chunk: JsonObject, text: string): string {
    if (chunk["usage"]) {
      if (this.#includeUsage) this.#held = isEmptyList(chunk["choices"]) ? text : null;
      else if (this.#held !== null && this.usage !== null) return this.#releaseWithUsage();
      return "";
    }
    // Asked for by name, so its client can read it.
    if (!("moderation" in chunk)) return "";
    const passed = this.#edited(text, {});
    if (this.#held === null) return passed;
    this.#afterHeld += passed;
    return "";
  }

  /** Sends a held finish chunk on without usage: it was not the last one. */
  #release(): string {
    if (this.#held === null || this.#includeUsage) return "";
    const released = this.#edited(this.#held, { usage: undefined }) + this.#afterHeld;
    this.#held = null;
    this.#afterHeld = "";
    return released;
  }

  #releaseWithUsage(): string {
    const usage = this.#usageText ?? "null";
    const after = this.#afterHeld;
    const terminal = this.#usageSent ? "" : this.#edited(this.#held ?? this.#ownChunk(), { usage });
    this.#usageSent = true;
    this.#held = null;
    this.#afterHeld = "";
    return terminal + after;
  }

  /** Makes a chunk for usage like the provider's other chunks: it sent none, or went on behind its finish. */
  #ownChunk(): string {
    const { id, object, created } = this.#last;
    const choices = this.#includeUsage ? [] : [{ index: 0, delta: {}, finish_reason: null }];
    return JSON.stringify({ id, object, created, model: "", choices });
  }

  #edited(text: string, values: Record<string, string | undefined>): string {
    return dataEvent(editAnswer(text, { model: this.#model, ...values }));
  }
}

function modelOf({ model }: JsonObject): string | null {
  return typeof model === "string" && model !== "" ? model : null;
}

function hasFinish(choice: Json): boolean {
  return isJsonObject(choice) && Boolean(choice["finish_reason"]);
}

function isEmptyList(value: Json | undefined): boolean {
  return Array.isArray(value) && value.length === 0;
}

function errorEvent(given: JsonObject): UpstreamFault {
  const error = isJsonObject(given["error"]) ? given["error"] : given;
  const { message, type, code } = error;
  return new UpstreamFault(
    typeof message === "string" ? message : "The provider reported an error",
    {
      type: typeof type === "string" ? type : null,
      code: typeof code === "string" ? code : null,
      body: given,
    },
  );
}
