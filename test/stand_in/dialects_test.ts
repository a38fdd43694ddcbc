import { expect, test } from "bun:test";
import { chunksOf, post, standInForTests } from "./stand_in_client.ts";

const standIn = standInForTests();
const { azure, groq, mistral } = standIn.baseUrls;
const user = (content: string) => ({ role: "user", content });
const CALL = { model: "m", messages: [user("x")] };
const TOOL = { type: "function", function: { name: "f", parameters: { type: "object" } } };

test("Mistral refuses every field that it does not know, with where it stands", async () => {
  const body = { ...CALL, max_completion_tokens: 5, seed: 1 };
  const { status, json } = await post(`${mistral}/chat/completions`, body);
  expect(status).toBe(422);
  expect(json.message.detail).toEqual([
    {
      type: "extra_forbidden",
      loc: ["body", "max_completion_tokens"],
      msg: "Extra inputs are not permitted",
      input: 5,
    },
    {
      type: "extra_forbidden",
      loc: ["body", "seed"],
      msg: "Extra inputs are not permitted",
      input: 1,
    },
  ]);
});

const called = (id: string) => ({
  role: "assistant",
  content: "",
  tool_calls: [{ id, type: "function", function: { name: "f", arguments: "{}" } }],
});
const result = (id: string) => ({ role: "tool", tool_call_id: id, content: "y" });

const REFUSED_BY_MISTRAL = [
  { what: "a user's name", body: { messages: [{ ...user("x"), name: "me" }] }, status: 422 },
  {
    what: "the role developer",
    body: { messages: [{ role: "developer", content: "x" }] },
    status: 422,
  },
  {
    what: "a tool without parameters",
    body: { tools: [{ type: "function", function: { name: "f" } }] },
    status: 422,
  },
  { what: "a temperature over 1", body: { temperature: 1.5 }, status: 400 },
  {
    what: "an answer at the end",
    body: { messages: [user("x"), { role: "assistant", content: "y" }] },
    status: 400,
  },
  {
    what: "a tool call's id of its own making",
    body: { messages: [user("x"), called("call_1"), result("call_1")] },
    status: 400,
  },
  {
    what: "a user after a tool",
    body: { messages: [user("x"), called("abcdefghi"), result("abcdefghi"), user("z")] },
    status: 400,
  },
];

for (const { what, body, status } of REFUSED_BY_MISTRAL) {
  test(`Mistral refuses ${what}`, async () => {
    expect((await post(`${mistral}/chat/completions`, { ...CALL, ...body })).status).toBe(status);
  });
}

test("Mistral's stream has usage on its last chunk and tool calls in one delta", async () => {
  const body = { ...CALL, stream: true, tools: [TOOL] };
  const chunks = chunksOf((await post(`${mistral}/chat/completions`, body)).text);
  const deltas = chunks.flatMap((chunk) => chunk.choices[0].delta.tool_calls ?? []);
  expect(deltas).toHaveLength(1);
  expect(deltas[0].id).toMatch(/^[a-zA-Z0-9]{9}$/);
  expect(chunks.filter((chunk) => chunk.usage != null)).toEqual([chunks.at(-1)]);
  const again = {
    ...CALL,
    messages: [
      user("x"),
      { role: "assistant", content: "", tool_calls: deltas },
      result(deltas[0].id),
    ],
  };
  expect((await post(`${mistral}/chat/completions`, again)).status).toBe(200);
});

test("Mistral's embeddings take texts and its own dimensions only", async () => {
  const url = `${mistral}/embeddings`;
  const good = await post(url, { model: "e", input: ["a"], output_dimension: 4 });
  expect(good.json.data[0].embedding).toHaveLength(4);
  for (const body of [
    { input: [1, 2] },
    { input: "a", dimensions: 4 },
    { input: "a", user: "u" },
  ]) {
    expect((await post(url, { model: "e", ...body })).status).toBe(422);
  }
});

for (const body of [
  { logprobs: false },
  { logit_bias: {} },
  { n: 2 },
  { messages: [{ ...user("x"), name: "me" }] },
]) {
  test(`Groq refuses ${JSON.stringify(body)}`, async () => {
    const { status, json } = await post(`${groq}/chat/completions`, { ...CALL, ...body });
    expect(status).toBe(400);
    expect(json.error.message).toContain("is unsupported");
  });
}

test("Groq refuses JSON output together with tools", async () => {
  const body = { ...CALL, tools: [TOOL], response_format: { type: "json_object" } };
  expect((await post(`${groq}/chat/completions`, body)).status).toBe(400);
});

test("Groq reports usage under a name of its own, thoughts as reasoning", async () => {
  const body = { ...CALL, stream: true, reasoning_effort: "low" };
  const chunks = chunksOf((await post(`${groq}/chat/completions`, body)).text);
  expect(chunks[0].x_groq).toEqual({ id: "req_standin" });
  expect(chunks.at(-1).x_groq.usage.completion_tokens).toBeGreaterThan(0);
  const thoughts = chunks.map((chunk) => chunk.choices[0].delta.reasoning ?? "").join("");
  expect(thoughts).toBe("The question is short, so is the answer.");
});

test("Azure answers under both of its paths and names the model behind the deployment", async () => {
  const classic = `${azure}/openai/deployments/my%20own/chat/completions?api-version=2024-10-21`;
  const headers = { authorization: "", "api-key": "k" };
  for (const url of [classic, `${azure}/openai/v1/chat/completions`]) {
    const { status, json } = await post(url, CALL, headers);
    expect(status).toBe(200);
    expect(json.model).toBe("gpt-4o-2024-11-20");
  }
  const { model: _, ...nameless } = CALL;
  expect((await post(classic, nameless, headers)).status).toBe(200);
  expect((await post(`${azure}/openai/v1/chat/completions`, nameless, headers)).status).toBe(400);
});

test("Azure's older path wants its version exactly once", async () => {
  const path = `${azure}/openai/deployments/d/chat/completions`;
  expect((await post(path, CALL)).status).toBe(404);
  expect((await post(`${path}?api-version=a&api-version=b`, CALL)).status).toBe(404);
});

test("Azure's stream begins with a chunk without choices", async () => {
  const url = `${azure}/openai/v1/chat/completions`;
  const chunks = chunksOf((await post(url, { ...CALL, stream: true })).text);
  expect(chunks[0]).toMatchObject({ choices: [], id: "", prompt_filter_results: [{}] });
  expect(chunks[1].choices[0].delta.role).toBe("assistant");
});
