import type { Usage } from "../domain/usage.ts";
import { dataEvent } from "../std/sse.ts";
import type { AnswerForm } from "./anthropic_to_openai.ts";
import { toOpenAiUsage } from "./openai_usage.ts";

/** Writes the chunks of one answer as events. All of them say the same id, time and model. */
export class ChunkWriter {
  readonly #form: AnswerForm;
  /** What stands around the delta of every chunk but the last; built once, because there are many. */
  readonly #head: string;
  readonly #tail: string;

  constructor(form: AnswerForm) {
    this.#form = form;
    const head = {
      id: form.id,
      object: "chat.completion.chunk",
      created: form.createdS,
      model: form.model,
    };
    this.#head = `${JSON.stringify(head).slice(0, -1)},"choices":[`;
    this.#tail = form.includeUsage ? `],"usage":null}` : "]}";
  }

  /** Writes a chunk with one text in its delta. */
  text(member: "content" | "refusal" | "reasoning_content", text: string): string {
    return this.#delta(`{"${member}":${JSON.stringify(text)}}`);
  }

  /** Writes a chunk with any delta. */
  delta(delta: object): string {
    return this.#delta(JSON.stringify(delta));
  }

  /** Writes the end: the finish reason and usage, in one chunk or, if the client asked for usage, in two. */
  finish(reason: string, usage: Usage): string {
    const choice = JSON.stringify({ index: 0, delta: {}, finish_reason: reason });
    const reported = JSON.stringify(toOpenAiUsage(usage));
    if (!this.#form.includeUsage) {
      return dataEvent(`${this.#head}${choice}],"usage":${reported}}`);
    }
    const finish = dataEvent(`${this.#head}${choice}${this.#tail}`);
    return finish + dataEvent(`${this.#head}],"usage":${reported}}`);
  }

  #delta(delta: string): string {
    const choice = `{"index":0,"delta":${delta},"finish_reason":null}`;
    return dataEvent(`${this.#head}${choice}${this.#tail}`);
  }
}
