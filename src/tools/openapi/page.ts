import type { RouteInDocument } from "./curl.ts";
import type { OpenApi } from "./document.ts";
import { html, type Html, prose } from "./html.ts";
import { type Part, partsOf } from "./part.ts";
import { errorSection, headerSection, objectSection } from "./reference_section.ts";
import { routeSection } from "./route_section.ts";

/** Makes the page that shows a document: one file without scripts, beside its style sheet. */
export function makePage(document: OpenApi): string {
  const { title, description } = document.info;
  const parts = partsOf(document);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} API</title>
        <link rel="stylesheet" href="docs/style.css" />
      </head>
      <body>
        <a class="skip" href="#content">Skip to content</a>
        <nav aria-label="Routes">
          <p class="brand"><a href="#content">${title}</a></p>
          ${parts.map(partLinks)}
          <p class="plane">Reference</p>
          <ul>
            <li><a href="#objects">Objects</a></li>
            <li><a href="#headers">Headers</a></li>
            <li><a href="#errors">Errors</a></li>
            <li><a href="openapi.json">openapi.json</a></li>
          </ul>
        </nav>
        <main id="content">
          <header>
            <h1>${title} API</h1>
            <p class="lead">${description}</p>
            <p>
              This page is made from <a href="openapi.json">openapi.json</a>, which is made from the
              code that serves it. Bodies are JSON, times are RFC 3339 in UTC, ids are UUIDs, and
              money is counted in microcents: ${prose("10^-8")} US dollars.
            </p>
          </header>
          ${parts.map((part) => partSection(part, document))} ${objectSection(document)}
          ${headerSection(document)} ${errorSection(document)}
        </main>
      </body>
    </html> `;
  return `${page.text.trim()}\n`;
}

function partLinks({ title, groups }: Part): Html {
  const items = groups.map(
    ({ id, name, routes }) =>
      html`<li>
        <a href="#${id}">${name}</a>
        <ul>
          ${routes.map(routeLink)}
        </ul>
      </li> `,
  );
  return html`<p class="plane">${title}</p>
    <ul>
      ${items}
    </ul> `;
}

function routeLink({ method, operation }: RouteInDocument): Html {
  const { operationId, summary } = operation;
  // As wide as there is room.
  const short = method === "DELETE" ? "DEL" : method;
  return html`<li>
    <a href="#${operationId}"
      ><span class="method ${method.toLowerCase()}">${short}</span>${summary}</a
    >
  </li> `;
}

function partSection({ id, title, about, begin, groups }: Part, document: OpenApi): Html {
  const sections = groups.map(
    (group) =>
      html`<section class="group" id="${group.id}">
        <h3>${group.name}</h3>
        <p class="lead">${prose(group.description)}</p>
        ${group.routes.map((route) => routeSection(route, document))}
      </section> `,
  );
  return html`<section class="plane" id="${id}">
    <div class="route">
      <div class="text">
        <h2>${title}</h2>
        <p class="lead">${prose(about)}</p>
      </div>
      <div class="examples">
        <pre tabindex="0"><code>${begin}</code></pre>
      </div>
    </div>
    ${sections}
  </section> `;
}
