import { expect, test } from "bun:test";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openWorkFolder } from "../../src/store/work_folder.ts";

test("a work folder is its user's alone and gone at the end of the scope, with what is in it", () => {
  let path = "";
  {
    using folder = openWorkFolder(tmpdir());
    path = folder.path;
    expect(dirname(path)).toBe(tmpdir());
    expect(statSync(path).mode & 0o777).toBe(0o700);
    writeFileSync(join(path, "unfinished"), "text");
  }
  expect(existsSync(path)).toBe(false);
});
