import type { JsonObject } from "../std/json.ts";
import { sampleObject, sampleValue } from "./sample_value.ts";

/** What a request asks for, whatever its wire. */
export interface Question {
  /** The text of the last message if a user wrote it, else empty. */
  readonly userText: string;
  /** The length of everything that counts as input. */
  readonly inputChars: number;
  /** The tools that the answer is to call, in order. */
  readonly callTools: readonly { readonly name: string; readonly schema: JsonObject }[];
  /** The schema that the answer must fit, if it is to be JSON. */
  readonly schema: JsonObject | null;
  /** Whether to think first. */
  readonly reason: boolean;
  readonly outputTokensMax: number | null;
  readonly stops: readonly string[];
}

/** An answer: the same for the same question. One token is one word. */
export interface Reply {
  /** What was thought, token by token. */
  readonly thoughts: readonly string[];
  /** The answer's text, token by token. */
  readonly tokens: readonly string[];
  readonly toolCalls: readonly {
    readonly name: string;
    readonly input: JsonObject;
  }[];
  readonly ending: "stop" | "stop_sequence" | "length" | "tools";
  /** The stop sequence that ended it, if one did. */
  readonly stoppedBy: string | null;
  readonly inputTokens: number;
  /** Thoughts and arguments included. */
  readonly outputTokens: number;
}

const CHARS_PER_TOKEN = 4;
const ECHO_CHARS_MAX = 200;

/** Answers a question. */
export function replyTo(question: Question): Reply {
  const thoughts = question.reason ? words("The question is short, so is the answer.") : [];
  const inputTokens = Math.max(1, Math.ceil(question.inputChars / CHARS_PER_TOKEN));
  if (question.callTools.length > 0) return callTools(question, thoughts, inputTokens);
  const { text, stoppedBy } = cutAtStop(answerText(question), question.stops);
  const whole = words(text);
  const room = Math.max(0, (question.outputTokensMax ?? Number.MAX_SAFE_INTEGER) - thoughts.length);
  const tokens = whole.slice(0, room);
  const cut = tokens.length < whole.length;
  return {
    thoughts,
    tokens,
    toolCalls: [],
    ending: cut ? "length" : stoppedBy === null ? "stop" : "stop_sequence",
    stoppedBy: cut ? null : stoppedBy,
    inputTokens,
    outputTokens: thoughts.length + tokens.length,
  };
}

/** Splits a text into tokens: words with the space before them. Joined, they are the text again. */
export function words(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

function callTools(question: Question, thoughts: readonly string[], inputTokens: number): Reply {
  const toolCalls = question.callTools.map(({ name, schema }) => {
    return { name, input: sampleObject(schema) };
  });
  const outputTokens = toolCalls.reduce(
    (sum, call) => sum + Math.ceil(JSON.stringify(call).length / CHARS_PER_TOKEN),
    thoughts.length,
  );
  return {
    thoughts,
    tokens: [],
    toolCalls,
    ending: "tools",
    stoppedBy: null,
    inputTokens,
    outputTokens,
  };
}

function answerText(question: Question): string {
  if (question.schema !== null) return JSON.stringify(sampleValue(question.schema));
  const asked = question.userText.slice(0, ECHO_CHARS_MAX);
  return (
    `Hello from the stand-in provider. You wrote: "${asked}" ` +
    "Each word of this answer is one token, and the last one is this."
  );
}

function cutAtStop(
  text: string,
  stops: readonly string[],
): { text: string; stoppedBy: string | null } {
  let first: { at: number; stop: string } | null = null;
  for (const stop of stops) {
    const at = text.indexOf(stop);
    if (at !== -1 && (first === null || at < first.at)) first = { at, stop };
  }
  return first === null
    ? { text, stoppedBy: null }
    : { text: text.slice(0, first.at), stoppedBy: first.stop };
}
