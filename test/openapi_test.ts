import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import * as v from "valibot";
import { EmbeddingsBody } from "../src/data_plane/call.ts";
import { SERVED } from "../src/data_plane/routes.ts";
import { ERRORS } from "../src/domain/errors.ts";
import { MANAGEMENT_ERRORS } from "../src/management_plane/error_response.ts";
import { ROUTES } from "../src/management_plane/routes.ts";
import { formatDocument, makeDocument } from "../src/tools/openapi/document.ts";
import type { Content, Operation } from "../src/tools/openapi/operation.ts";
import { type Plane, PLANES } from "../src/tools/openapi/planes.ts";
import { DOCUMENT } from "./support/described.ts";
import { faults, type Rules } from "./support/json_schema.ts";

const TEXT = await Bun.file(join(import.meta.dir, "../src/openapi.json")).text();

const RULES: Rules = { schemas: DOCUMENT.components.schemas, strict: false };

const OPERATIONS: readonly (Operation & { readonly name: string; readonly path: string })[] =
  Object.entries(DOCUMENT.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      return { ...operation, path, name: `${method.toUpperCase()} ${path}` };
    }),
  );

test("what is committed is what the code says", () => {
  if (TEXT !== formatDocument(DOCUMENT)) {
    throw new Error('src/openapi.json is not what the code says: run "make openapi"');
  }
});

test("every route of both planes is described, and nothing else", () => {
  const served = [...SERVED, ...ROUTES.map(({ method, pattern }) => `${method} ${pattern}`)];
  expect(OPERATIONS.map(({ name }) => name).sort()).toEqual(served.sort());
});

test("what the operator alone may do is marked as served on the control socket", () => {
  const local = ROUTES.filter(({ access }) => access === "operator");
  const names = local.map(({ method, pattern }) => `${method} ${pattern}`);
  const marked = OPERATIONS.filter((operation) => operation["x-local-only"] === true);
  expect(marked.map(({ name }) => name).sort()).toEqual(names.sort());
  for (const operation of OPERATIONS)
    expect(operation.security.length === 0).toBe(operation["x-local-only"] === true);
});

test("the table of errors is the program's", () => {
  const [inference, management] = DOCUMENT["x-planes"].map(({ errors }) =>
    Object.fromEntries(errors.map(({ code, status }) => [code, status])),
  );
  const statuses = Object.entries(ERRORS).map(([code, [status]]) => [code, status]);
  expect(inference).toEqual(Object.fromEntries(statuses));
  expect(management).toEqual({ ...MANAGEMENT_ERRORS });
  for (const { errors } of DOCUMENT["x-planes"])
    for (const { when } of errors) expect(when).toMatch(/^[`A-Z].*[^.]$/);
});

describe("the document is sound:", () => {
  /** Every value in the document, with the name that it has where it stands. */
  function* everything(value: unknown, name = ""): Generator<[name: string, value: unknown]> {
    yield [name, value];
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) yield* everything(inner, key);
  }

  test("it says that it is OpenAPI 3.1, and of what", () => {
    expect(DOCUMENT.openapi).toMatch(/^3\.1\.\d$/);
    expect(DOCUMENT.info).toMatchObject({ title: "Inference Proxy", version: "1" });
  });

  test("every reference leads somewhere, and nothing is there that none leads to", () => {
    const refs = [...everything(DOCUMENT)].flatMap(([name, value]) =>
      name === "$ref" && typeof value === "string" ? [value] : [],
    );
    const parts = Object.entries(DOCUMENT.components).filter(
      ([kind]) => kind !== "securitySchemes",
    );
    const targets = parts.flatMap(([kind, named]) =>
      Object.keys(named).map((name) => `#/components/${kind}/${name}`),
    );
    expect([...new Set(refs)].sort()).toEqual(targets.sort());
  });

  test("names of components are made of letters, digits, dots, hyphens and underscores", () => {
    const names = Object.values(DOCUMENT.components).flatMap((named) => Object.keys(named));
    expect(names.filter((name) => !/^[\w.-]+$/.test(name))).toEqual([]);
  });

  test("operation ids are unique and can be names of functions", () => {
    const ids = OPERATIONS.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[a-z][A-Za-z]+$/.test(id))).toEqual([]);
  });

  test("the parameters of each path are those in its braces, and all of them are required", () => {
    for (const { path, parameters = [] } of OPERATIONS) {
      const inPath = parameters.filter((one) => one.in === "path");
      const braces = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
      expect(inPath.map(({ name }) => name)).toEqual(braces);
      expect(inPath.every(({ required }) => required)).toBe(true);
      const names = parameters.map((one) => `${one.in} ${one.name}`);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  test("tags and security schemes are declared", () => {
    const tags = new Set(DOCUMENT.tags.map(({ name }) => name));
    const schemes = new Set(Object.keys(DOCUMENT.components.securitySchemes));
    expect(DOCUMENT["x-planes"].flatMap((plane) => plane.tags)).toEqual([...tags]);
    for (const { tags: used, security } of OPERATIONS) {
      expect(used).toHaveLength(1);
      expect(used.filter((tag) => !tags.has(tag))).toEqual([]);
      const named = security.flatMap((one) => Object.keys(one));
      expect(named.filter((name) => !schemes.has(name))).toEqual([]);
    }
  });

  test("a request with a body is described with it, and none of the methods without one is", () => {
    for (const { name, requestBody } of OPERATIONS)
      if (/^(GET|DELETE)/.test(name)) expect(requestBody).toBeUndefined();
    const bodies = OPERATIONS.filter(({ name }) => /^(PUT|PATCH)/.test(name));
    expect(bodies.length).toBeGreaterThan(3);
    for (const { requestBody } of bodies) expect(requestBody).toBeDefined();
  });

  test("everything that has a name says what it is", () => {
    for (const { summary, parameters = [], responses } of OPERATIONS) {
      expect(summary).toMatch(/^[A-Z].*[^.]$/);
      for (const { description } of parameters) expect(description).not.toBe("");
      const own = Object.values(responses).filter((response) => !("$ref" in response));
      expect(own.length).toBeGreaterThan(0);
      for (const response of own) expect("description" in response).toBe(true);
    }
  });

  const media = (contents: readonly (Content | undefined)[]) =>
    contents.flatMap((content) => {
      const json = content?.["application/json"];
      return json?.example === undefined ? [] : [json];
    });

  test.each(OPERATIONS)("the examples of $name fit their schemas", (operation) => {
    const own = Object.values(operation.responses).flatMap((response) =>
      "content" in response ? [response.content] : [],
    );
    const shown = media([operation.requestBody?.content, ...own]);
    for (const { example, schema } of shown) expect(faults(example, schema, RULES)).toEqual([]);
  });
});

describe("a document cannot be made", () => {
  const [inference, management] = PLANES;
  const made = (changes: Partial<Plane>) => () => {
    if (inference === undefined || management === undefined) return;
    makeDocument([inference, { ...management, ...changes }]);
  };

  test("of a route that nobody described", () => {
    const route = { name: "GET /new", localOnly: false, errorsOfKind: () => [] };
    const served = [...(management?.served ?? []), route];
    expect(made({ served })).toThrow("Cannot describe GET /new: nobody has said what it does");
  });

  test("of a route that is described and not served", () => {
    const served = (management?.served ?? []).slice(1);
    expect(made({ served })).toThrow(
      "Cannot describe GET /organizations: no table of routes has it",
    );
  });

  test("of a path whose variable nobody explained", () => {
    expect(made({ pathParameters: {} })).toThrow('nobody has said what "orgId" is');
  });

  test("with two schemas of one name", () => {
    expect(made({ errorSchema: ["Usage", v.string()] })).toThrow('Cannot name schema "Usage"');
  });
});

describe("what can be embedded is described as the door judges it:", () => {
  const schema =
    DOCUMENT.paths["/inference/v1/embeddings"]?.["post"]?.requestBody?.content["application/json"]
      ?.schema;
  const INPUTS: unknown[] = [
    "a",
    "",
    [],
    ["a", "b"],
    ["a", ""],
    [1, 2],
    [1, -1],
    [1.5],
    [[1], [2, 3]],
    [[1], []],
    ["a", 1],
    [[1], "a"],
    null,
    7,
    {},
    [null],
  ];
  test.each(INPUTS.map((input) => [JSON.stringify(input), input]))("%s", (_, input) => {
    const body = { model: "openai/x", input };
    const found = faults(body, schema ?? {}, RULES);
    expect(found.length === 0).toBe(v.is(EmbeddingsBody, body));
  });
});
