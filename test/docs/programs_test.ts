import { expect, setDefaultTimeout, test } from "bun:test";
import { type Block, pageNamed } from "./pages.ts";
import { openReadyWorkspace } from "./workspace.ts";

setDefaultTimeout(120_000);

const runnable = pageNamed("clients.md").blocks.filter(({ runs }) => runs);
const of = (language: string) => runnable.filter((block) => block.language === language);

/** What the stand-in answers. */
const SAID = "Hello from the stand-in provider";

test("there is a program to run for each kind of client that can be run", () => {
  expect([of("ts").length, of("python").length]).toEqual([2, 4]);
});

for (const [index, block] of of("ts").entries()) {
  test(`TypeScript, ${packagesOf(block).join(" and ")}: the program runs`, async () => {
    await using workspace = await openReadyWorkspace();
    const path = workspace.write(`client_${index}.ts`, workspace.here(block.code));
    const { exitCode, stdout, stderr } = await workspace.run([process.execPath, path]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    // Once whole, once streamed.
    expect(stdout.split(SAID)).toHaveLength(3);
  });
}

for (const [index, block] of of("python").entries()) {
  const packages = packagesOf(block);
  const python = await pythonWith(packages);
  const skipped = python === null ? ` (SKIPPED: no python3 here has ${packages.join(", ")})` : "";
  test.skipIf(python === null)(
    `Python, ${packages.join(" and ")}: the program runs${skipped}`,
    async () => {
      await using workspace = await openReadyWorkspace();
      const path = workspace.write(`client_${index}.py`, workspace.here(block.code));
      const { exitCode, stdout, stderr } = await workspace.run([python ?? "", path], OFFLINE);
      expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({
        exitCode: 0,
        stderr: "",
      });
      expect(stdout).toContain(SAID);
    },
  );
}

/** Keeps a package from loading a list from the internet when it is imported. */
const OFFLINE = { LITELLM_LOCAL_MODEL_COST_MAP: "True" };

/** Returns the packages that a program imports, without what its language brings. */
function packagesOf({ language, code }: Pick<Block, "language" | "code">): string[] {
  const pattern = language === "ts" ? / from "([^"]+)"/g : /^(?:from|import) ([\w.]+)/gm;
  const named = [...code.matchAll(pattern)].map(([, name = ""]) => name);
  return named.filter((name) => name !== "os");
}

/** Returns a Python that has the packages; another than the machine's may be named in the environment. */
async function pythonWith(packages: readonly string[]): Promise<string | null> {
  const path = process.env["PYTHON"] ?? Bun.which("python3");
  if (path === null) return null;
  const lookUp = `import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, sys.argv[1:])))`;
  const roots = packages.map((name) => name.split(".")[0] ?? "");
  const child = Bun.spawn([path, "-c", lookUp, ...roots], { stdout: "ignore", stderr: "ignore" });
  return (await child.exited) === 0 ? path : null;
}
