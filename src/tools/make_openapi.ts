/**
 * Writes the description of both planes, `src/openapi.json`, and the page that shows it, `src/docs.html`:
 *
 *     bun src/tools/make_openapi.ts
 *
 * The same routes give the same bytes, and a test compares them with what is committed.
 */
import { formatDocument, makeDocument } from "./openapi/document.ts";
import { makePage } from "./openapi/page.ts";

const document = makeDocument();
await Bun.write(new URL("../openapi.json", import.meta.url), formatDocument(document));
await Bun.write(new URL("../docs.html", import.meta.url), makePage(document));
