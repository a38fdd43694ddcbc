import { html, type Html, prose } from "./html.ts";
import type { ErrorCase } from "./planes.ts";

/** Shows errors by status and code. */
export function errorTable(cases: readonly ErrorCase[]): Html {
  const sorted = cases.toSorted((a, b) => a.status - b.status);
  const rows = sorted.map(
    ({ status, code, when }) =>
      html`<tr>
        <td>${status}</td>
        <td><code>${code}</code></td>
        <td>${prose(when)}</td>
      </tr> `,
  );
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Status</th>
        <th scope="col">Code</th>
        <th scope="col">When</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table> `;
}
