import { expect, setDefaultTimeout, test } from "bun:test";
import { openFolder, runBinary, startBinary } from "../support/binary.ts";

setDefaultTimeout(30_000);

test("the binary has the description of its interfaces in itself", async () => {
  using folder = openFolder();
  await using binary = await startBinary(["--data-dir", `${folder.path}/data`]);
  const printed = await runBinary(["openapi"], { workingDirectory: folder.path });
  expect(printed.exitCode).toBe(0);
  expect(JSON.parse(printed.stdout)).toMatchObject({ openapi: "3.1.1" });
  expect(await (await fetch(`${binary.url}/openapi.json`)).text()).toBe(printed.stdout);
  const page = await fetch(`${binary.url}/docs`);
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(await page.text()).toEndWith("</html>\n");
  const style = await fetch(`${binary.url}/docs/style.css`);
  expect(style.headers.get("content-type")).toBe("text/css; charset=utf-8");
});
