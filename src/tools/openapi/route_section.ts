import { curlLine, type RouteInDocument } from "./curl.ts";
import type { OpenApi } from "./document.ts";
import { errorTable } from "./error_table.ts";
import { html, type Html, prose } from "./html.ts";
import { memberItem, memberList } from "./member_list.ts";
import type { Media, Operation, Parameter, Reference, ResponseObject } from "./operation.ts";
import type { ErrorCase } from "./planes.ts";

/** Shows one route: what it is for, what it takes, what it answers. */
export function routeSection(route: RouteInDocument, document: OpenApi): Html {
  const { method, path, operation } = route;
  const { operationId, summary, description, parameters = [], requestBody } = operation;
  const local = operation["x-local-only"] === true;
  return html`<section class="route" id="${operationId}">
    <div class="text">
      <h4><a href="#${operationId}">${summary}</a></h4>
      <p class="line">
        <span class="method ${method.toLowerCase()}">${method}</span> <code>${path}</code>${
          local ? html` <span class="local">control socket only</span>` : null
        }
      </p>
      ${description === undefined ? null : html`<p>${prose(description)}</p> `}${parametersOf(
        "Path",
        parameters.filter((one) => one.in === "path"),
      )}${parametersOf(
        "Query",
        parameters.filter((one) => one.in === "query"),
      )}${requestBody === undefined ? null : bodyOf(requestBody.content["application/json"])}${answersOf(
        operation,
      )}${errorsOf(operation, document)}
    </div>
    <div class="examples">
      <pre tabindex="0"><code>${curlLine(route)}</code></pre>
      ${examplesOf(operation)}
    </div>
  </section> `;
}

function parametersOf(title: string, parameters: readonly Parameter[]): Html | null {
  if (parameters.length === 0) return null;
  const items = parameters.map(({ name, required, description, schema }) =>
    memberItem(name, { ...schema, description }, required && title !== "Path" ? "required" : ""),
  );
  return html`<h5>${title}</h5>
    <dl class="members">${items}</dl> `;
}

function bodyOf(media: Media | undefined): Html | null {
  if (media === undefined) return null;
  return html`<h5>Body</h5>
    ${memberList(media.schema, "request")}`;
}

/** Returns the answers that the route gives itself; errors stand in the components. */
function successesOf({ responses }: Operation): [string, ResponseObject][] {
  return Object.entries(responses).flatMap(([status, response]) =>
    "$ref" in response ? [] : [[status, response]],
  );
}

function answersOf(operation: Operation): readonly Html[] {
  return successesOf(operation).map(([status, { description, content = {} }]) => {
    const whole = content["application/json"];
    const events = content["text/event-stream"]?.["x-event-schema"];
    return html`<h5>Answer</h5>
      <p><span class="status">${status}</span> ${prose(description)}</p>
      ${whole === undefined ? null : memberList(whole.schema, "answer")}${
        events === undefined
          ? null
          : html`<p>Or events:</p>
              ${memberList(events, "answer")}`
      }`;
  });
}

function errorsOf(operation: Operation, document: OpenApi): Html {
  const cases = errorCasesOf(operation, document);
  const statuses = [...new Set(cases.map((one) => one.status))];
  return html`<details>
    <summary>Errors <span class="statuses">${statuses.join(" ")}</span></summary>
    ${errorTable(cases)}
  </details> `;
}

function errorCasesOf(operation: Operation, document: OpenApi): readonly ErrorCase[] {
  const codes = new Set(
    Object.values(operation.responses).flatMap(
      (response) => resolved(response, document)["x-codes"] ?? [],
    ),
  );
  const plane = document["x-planes"].find((one) =>
    operation.tags.every((tag) => one.tags.includes(tag)),
  );
  return plane?.errors.filter((one) => codes.has(one.code)) ?? [];
}

/** Returns what a reference stands for. */
function resolved(response: ResponseObject | Reference, { components }: OpenApi): ResponseObject {
  if (!("$ref" in response)) return response;
  const found = components.responses[response.$ref.replace("#/components/responses/", "")];
  if (found !== undefined) return found;
  throw new Error(`Cannot show "${response.$ref}": the document has no such response`);
}

function examplesOf(operation: Operation): readonly Html[] {
  return successesOf(operation).flatMap(([status, { content = {} }]) =>
    Object.entries(content).map(([type, { example }]) => {
      const isStream = typeof example === "string";
      return html`<p class="caption">${status} <span>${type}</span></p>
        <pre tabindex="0" class="${isStream ? "stream" : "json"}"><code>${
          isStream ? example.trimEnd() : JSON.stringify(example, null, 2)
        }</code></pre> `;
    }),
  );
}
