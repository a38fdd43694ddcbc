import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { unsupportedParameter } from "../../src/domain/errors.ts";
import { NO_USAGE } from "../../src/domain/usage.ts";
import { openAiTranslation } from "../../src/wire/openai.ts";
import type { OpenAiQuirks } from "../../src/wire/openai_quirks.ts";
import { UpstreamFault } from "../../src/wire/translation.ts";
import { clientRequest } from "../support/translate.ts";

const CHAT = clientRequest('{"model":"openai/gpt-5","messages":[]}');
const EMBED = clientRequest('{"model":"openai/text-embedding-3-small","input":"a"}');

const whole = (text: string, quirks?: OpenAiQuirks) =>
  openAiTranslation(CHAT, "chat", quirks).whole(text);
const wholeEmbeddings = (text: string, quirks?: OpenAiQuirks) =>
  openAiTranslation(EMBED, "embeddings", quirks).whole(text);

const BODIES: readonly [name: string, sent: string, upstream: string][] = [
  [
    "only its model changed",
    '{ "model":"openai/gpt-5","messages":[ ], "x_new": 1.50, "s": "\\u00e9" }',
    '{ "model":"gpt-5","messages":[ ], "x_new": 1.50, "s": "\\u00e9" }',
  ],
  [
    "usage asked of a stream",
    '{"stream":true,"model":"openai/gpt-5"}',
    '{"stream":true,"model":"gpt-5","stream_options":{"include_usage":true}}',
  ],
  [
    "the other stream options kept",
    '{"stream":true,"stream_options":{"include_usage":false,"x":1},"model":"openai/gpt-5"}',
    '{"stream":true,"stream_options":{"include_usage":true,"x":1},"model":"gpt-5"}',
  ],
  [
    "stream options that are none replaced",
    '{"stream":true,"stream_options":null,"model":"openai/gpt-5"}',
    '{"stream":true,"stream_options":{"include_usage":true},"model":"gpt-5"}',
  ],
  [
    "no usage asked where nothing streams",
    '{"stream":false,"model":"openai/gpt-5"}',
    '{"stream":false,"model":"gpt-5"}',
  ],
  [
    "the model name beyond the first slash",
    '{"model":"openai/ft:gpt-4o/\\"x\\""}',
    '{"model":"ft:gpt-4o/\\"x\\""}',
  ],
];

describe("a request goes upstream with", () => {
  test.each(BODIES)("%s", (_, sent, upstream) => {
    const translation = openAiTranslation(clientRequest(sent), "chat");
    expect(translation.upstreamBody).toBe(upstream);
    expect(translation.dropped).toEqual([]);
  });

  test("no stream options where the provider refuses them", () => {
    const request = clientRequest('{"stream":true,"model":"openai/gpt-5"}');
    const { upstreamBody } = openAiTranslation(request, "chat", { asksForStreamUsage: false });
    expect(upstreamBody).toBe('{"stream":true,"model":"gpt-5"}');
  });

  test("what the quirks of its operation make of it", () => {
    const quirks: OpenAiQuirks = {
      asksForStreamUsage: true,
      chatRequest: ({ body }) => ({ body: { ...body, seen: "chat" }, dropped: ["user"] }),
      embeddingsRequest: ({ body }) => ({ body: { ...body, seen: "embeddings" }, dropped: [] }),
    };
    const chat = openAiTranslation(CHAT, "chat", quirks);
    expect(JSON.parse(chat.upstreamBody)).toEqual({ model: "gpt-5", messages: [], seen: "chat" });
    expect(chat.dropped).toEqual(["user"]);
    const embed = openAiTranslation(EMBED, "embeddings", quirks);
    expect(JSON.parse(embed.upstreamBody)).toMatchObject({ input: "a", seen: "embeddings" });
  });

  test("its own bytes where the quirks change nothing but drop a name", () => {
    const request = clientRequest('{ "model" : "openai/gpt-5", "n": 1.0 }');
    const quirks: OpenAiQuirks = {
      asksForStreamUsage: true,
      chatRequest: ({ body }) => ({ body, dropped: [] }),
    };
    const { upstreamBody } = openAiTranslation(request, "chat", quirks);
    expect(upstreamBody).toBe('{ "model" : "gpt-5", "n": 1.0 }');
  });

  test("nothing where the quirks refuse it", () => {
    const quirks: OpenAiQuirks = {
      asksForStreamUsage: true,
      chatRequest: () => {
        throw unsupportedParameter("logprobs", "Cannot send logprobs: there are none");
      },
    };
    expect(() => openAiTranslation(CHAT, "chat", quirks)).toThrow("Cannot send logprobs");
  });
});

const USAGE = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };

describe("a whole answer", () => {
  test("keeps its bytes but for the model, and is measured", () => {
    const text =
      '{ "id":"a", "model":"gpt-5-2025", "choices":[{"message":{"content":"hello"}}], "usage": ' +
      `${JSON.stringify(USAGE)}, "x": 1.0 }\n`;
    expect(whole(text)).toEqual({
      clientBody: text.replace("gpt-5-2025", "openai/gpt-5"),
      usage: { ...NO_USAGE, inputTokens: 9, outputTokens: 3 },
      servedModel: "gpt-5-2025",
      outputBytes: 5,
    });
  });

  test("is given the model it lacks, and says that none served it", () => {
    const { clientBody, servedModel } = whole('{"choices":[]}');
    expect(clientBody).toBe('{"choices":[],"model":"openai/gpt-5"}');
    expect(servedModel).toBeNull();
    expect(whole('{"choices":[],"model":""}').servedModel).toBeNull();
    expect(whole('{"choices":[],"model":7}').servedModel).toBeNull();
  });

  test("without usage claims none", () => {
    expect(whole('{"choices":[],"usage":null}').usage).toBeNull();
    expect(whole('{"choices":[]}').clientBody).not.toContain("usage");
  });

  test("whose total is not the sum of its parts is given one that is", () => {
    const text =
      '{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":99}}';
    const { clientBody, usage } = whole(text);
    expect(JSON.parse(clientBody)).toMatchObject({
      usage: { ...USAGE, prompt_tokens_details: {} },
    });
    expect(usage).toEqual({ ...NO_USAGE, inputTokens: 9, outputTokens: 3 });
  });

  test("is what the quirks make of it", () => {
    const quirks: OpenAiQuirks = {
      asksForStreamUsage: true,
      completion: (answer) => ({ ...answer, usage: USAGE, x_groq: undefined }),
    };
    const answer = whole('{ "choices": [], "x_groq": {} }', quirks);
    expect(answer.clientBody).toBe(
      `{"choices":[],"usage":${JSON.stringify(USAGE)},"model":"openai/gpt-5"}`,
    );
    expect(answer.usage?.inputTokens).toBe(9);
  });
});

describe("an embeddings answer", () => {
  const text =
    '{"object":"list","data":[{"embedding":[0.10, -1e-3]}],"model":"m","usage":{"prompt_tokens":8,"total_tokens":8}}';

  test("keeps its bytes but for the model, and generated nothing", () => {
    expect(wholeEmbeddings(text)).toEqual({
      clientBody: text.replace('"m"', '"openai/text-embedding-3-small"'),
      usage: { ...NO_USAGE, inputTokens: 8 },
      servedModel: "m",
      outputBytes: 0,
    });
  });

  test("is what the quirks make of it", () => {
    const quirks: OpenAiQuirks = {
      asksForStreamUsage: true,
      embeddings: (answer, request) => ({ ...answer, input: request.body["input"] }),
    };
    expect(JSON.parse(wholeEmbeddings(text, quirks).clientBody)).toMatchObject({ input: "a" });
  });

  test("without data is none", () => {
    expect(() => wholeEmbeddings('{"choices":[]}')).toThrow(UpstreamFault);
  });
});

describe("what is no answer is the provider's fault:", () => {
  const NONE = ["", "<html>", "null", "[]", '"text"', "{}", '{"choices":{}}', '{"choices":null}'];
  test.each(NONE)("%p", (text) => {
    expect(() => whole(text)).toThrow(UpstreamFault);
  });

  test("an error in the guise of a success, told in its own words", () => {
    const body = {
      error: { message: "Too much", type: "server_error", code: "busy" },
      choices: [],
    };
    expect(faultOf(() => whole(JSON.stringify(body)))).toMatchObject({
      message: "Too much",
      type: "server_error",
      code: "busy",
      body,
      interrupted: false,
    });
  });

  test("an error that is only a text", () => {
    expect(faultOf(() => whole('{"error":"down"}'))).toMatchObject({
      message: "down",
      body: { error: "down" },
    });
  });

  test("an object of another kind, which is no report of an error", () => {
    expect(faultOf(() => whole('{"object":"list","data":[]}'))).toMatchObject({
      message: "Cannot read answer: it has no result",
      body: null,
    });
  });

  test("one that names a member twice, or nests too deep", () => {
    expect(() => whole('{"choices":[],"choices":[1]}')).toThrow(UpstreamFault);
    expect(() => whole(`{"choices":[],"x":${"[".repeat(200)}${"]".repeat(200)}}`)).toThrow(
      UpstreamFault,
    );
  });
});

function faultOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    expect(error).toBeInstanceOf(UpstreamFault);
    return error;
  }
}

test("any answer keeps the bytes of every member but its model", () => {
  const anyName = fc.string({ maxLength: 5 }).map((name) => `x_${name}`);
  const anyMembers = fc.uniqueArray(fc.tuple(anyName, fc.jsonValue()), {
    selector: ([name]) => name,
    maxLength: 5,
  });
  fc.assert(
    fc.property(anyMembers, fc.nat({ max: 5 }), fc.nat({ max: 3 }), (members, place, indent) => {
      const texts = members.map(
        ([name, value]) => `${JSON.stringify(name)} :${JSON.stringify(value, null, indent)}`,
      );
      const withModel = (model: string) =>
        `{${texts.toSpliced(place, 0, `"model": ${model}`).join(",\n")},"choices":[]}`;
      expect(whole(withModel('"m"')).clientBody).toBe(withModel('"openai/gpt-5"'));
    }),
  );
});
