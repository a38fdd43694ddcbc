import { TAIL_BYTES } from "./answer_reader.ts";
import { ANSWER_TEXT, type AnswerSpec, VECTORS } from "./answers.ts";
import type { LoadPlan } from "./load_plan.ts";
import type { Target } from "./target.ts";

/** How much shorter than the first answer another may be, in bytes: numbers differ in their digits. */
const SLACK_BYTES = 64;

/**
 * Makes one call, reads what the answer means, and returns what the load generator should expect of all others.
 *
 * @throws If the target refuses the call, or something is missing from its answer.
 */
export async function probe(
  target: Target,
  request: Pick<LoadPlan, "path" | "body">,
  spec: AnswerSpec,
): Promise<LoadPlan["expected"]> {
  const [key = ""] = (await Bun.file(target.keysFile).text()).split("\n");
  const answer = await fetch(`http://127.0.0.1:${target.port}${request.path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      ...target.headers,
    },
    body: request.body,
  });
  const text = await answer.text();
  if (answer.status !== 200)
    throw new Error(`${target.name} answered ${answer.status}: ${text.slice(0, 500)}`);
  if (target.translates) requireWhole(text, spec, target.name);
  return { bodyBytesMin: Buffer.byteLength(text) - SLACK_BYTES, tail: text.slice(-TAIL_BYTES) };
}

function requireWhole(text: string, spec: AnswerSpec, name: string): void {
  const found = meaning(text, spec);
  const expected = expectedMeaning(spec);
  if (found === expected) return;
  throw new Error(`${name} answered ${found.slice(0, 300)}, expected ${expected.slice(0, 300)}`);
}

function expectedMeaning(spec: AnswerSpec): string {
  switch (spec.kind) {
    case "chat":
      return `105 tokens: ${ANSWER_TEXT}`;
    case "embeddings":
      return `1200 tokens: ${VECTORS} vectors`;
    case "stream":
      return `105 tokens: ${spec.events - (spec.wire === "openai" ? 4 : 6)} words, done`;
  }
}

/** What of an answer this reads, in OpenAI's wire. */
interface Answer {
  readonly data?: readonly unknown[];
  readonly choices?: readonly {
    readonly message?: { readonly content?: string };
    readonly delta?: { readonly content?: string };
  }[];
  readonly usage?: { readonly total_tokens: number } | null;
}

function meaning(text: string, spec: AnswerSpec): string {
  if (spec.kind === "stream") return meaningOfStream(text);
  const { usage, data, choices } = JSON.parse(text) as Answer;
  const tokens = `${usage?.total_tokens} tokens`;
  if (spec.kind === "embeddings") return `${tokens}: ${data?.length} vectors`;
  return `${tokens}: ${choices?.[0]?.message?.content}`;
}

function meaningOfStream(text: string): string {
  const events = text.split("\n\n").filter((event) => event.startsWith("data: "));
  const done = events.pop() === "data: [DONE]" ? "done" : "not done";
  const chunks = events.map((event) => JSON.parse(event.slice("data: ".length)) as Answer);
  const words = chunks.filter((chunk) => chunk.choices?.[0]?.delta?.content).length;
  const usage = chunks.findLast((chunk) => chunk.usage)?.usage;
  return `${usage?.total_tokens} tokens: ${words} words, ${done}`;
}
