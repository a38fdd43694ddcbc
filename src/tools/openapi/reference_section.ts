import type { OpenApi } from "./document.ts";
import { errorTable } from "./error_table.ts";
import { html, type Html, prose } from "./html.ts";
import { memberList } from "./member_list.ts";

/** Shows the objects that answers are made of. */
export function objectSection({ components }: OpenApi): Html {
  const sections = Object.entries(components.schemas).map(
    ([name, schema]) =>
      html`<section class="object" id="object-${name}">
        <h4><a href="#object-${name}">${name}</a></h4>
        ${memberList(schema, "answer")}
      </section> `,
  );
  return html`<section class="plane" id="objects">
    <h2>Objects</h2>
    <p class="lead">What answers are made of.</p>
    ${sections}
  </section> `;
}

/** Shows the headers that answers carry. */
export function headerSection({ components }: OpenApi): Html {
  const rows = Object.entries(components.headers).map(
    ([name, { description, example }]) =>
      html`<tr>
        <td><code>${name}</code></td>
        <td>${prose(description)}</td>
        <td><code>${example}</code></td>
      </tr> `,
  );
  return html`<section class="plane" id="headers">
    <h2>Headers</h2>
    <p class="lead">What answers to calls carry beside their bodies.</p>
    <table>
      <thead>
        <tr>
          <th scope="col">Header</th>
          <th scope="col">Says</th>
          <th scope="col">Such as</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </section> `;
}

/** Shows every code that an error can have. */
export function errorSection(document: OpenApi): Html {
  const tables = document["x-planes"].map(
    ({ name, errors }) =>
      html`<h3>${name.charAt(0).toUpperCase() + name.slice(1)}</h3>
        ${errorTable(errors)}`,
  );
  return html`<section class="plane" id="errors">
    <h2>Errors</h2>
    <p class="lead">
      Every code that there is. What a code means and its status stay as they are; messages are for
      people and may change.
    </p>
    ${tables}
  </section> `;
}
