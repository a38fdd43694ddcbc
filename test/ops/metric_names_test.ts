import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { proxyForTests } from "../support/data_plane.ts";
import { callsOfEveryKind, parseSamples, scrapeText } from "../support/scrape.ts";

const OPS = join(import.meta.dir, "../../src/ops");
const RULES = join(OPS, "alert_rules.yml");
const DASHBOARD = join(OPS, "grafana_dashboard.json");

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly labels: { readonly severity: string };
      readonly annotations: { readonly summary: string };
    }[];
  }[];
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly { readonly expr: string }[];
}

const rules = (Bun.YAML.parse(await Bun.file(RULES).text()) as Rules).groups.flatMap(
  (group) => group.rules,
);
const { panels } = (await Bun.file(DASHBOARD).json()) as { readonly panels: readonly Panel[] };
const expressions = [
  ...rules.map(({ expr }) => expr),
  ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
];

const namesIn = (text: string) =>
  text.match(/\b(?:inference_proxy|gen_ai|process)_[a-z_]+\b/g) ?? [];
/** What stands in braces and behind `by`, `on` and `ignoring` are labels. */
const metricsIn = (expression: string) =>
  namesIn(expression.replaceAll(/\{[^}]*\}|\b(?:by|on|ignoring|group_left) ?\([^)]*\)/g, ""));

const proxy = await proxyForTests({ providers: ["openai", "anthropic"] });
await callsOfEveryKind(proxy);
const samples = [...parseSamples(await scrapeText(proxy)).keys()];

describe("the dashboard and the alerts", () => {
  test("speak of metrics that are in a scrape", () => {
    const known = new Set(samples.map((sample) => sample.replace(/\{.*/, "")));
    const used = new Set(expressions.flatMap(metricsIn));
    expect(used.size).toBeGreaterThan(20);
    expect([...used].filter((name) => !known.has(name))).toEqual([]);
  });

  test("select by labels that those metrics have", () => {
    const uses = expressions.flatMap((expression) => [
      ...expression.matchAll(/([a-z_]+)\{([^}]*)\}/g),
    ]);
    expect(uses.length).toBeGreaterThan(20);
    for (const [, name = "", selector = ""] of uses)
      for (const [, label = ""] of selector.matchAll(/(\w+)(?==|!)/g)) {
        // Prometheus itself says which instance it is.
        if (label === "instance") continue;
        const labelled = samples.filter((sample) => sample.startsWith(`${name}{`));
        expect({ name, label, known: labelled.some((one) => one.includes(`${label}="`)) }).toEqual({
          name,
          label,
          known: true,
        });
      }
  });
});

test("every alert says how bad it is and what is the matter", () => {
  expect(rules.length).toBeGreaterThan(10);
  for (const { alert, labels, annotations } of rules) {
    expect(alert).toMatch(/^InferenceProxy[A-Z]/);
    expect(["critical", "warning", "info"]).toContain(labels.severity);
    expect(annotations.summary).not.toBe("");
  }
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
});

test("the panels of the dashboard have their own ids and do not overlap", () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
});

const promtool = Bun.which("promtool");
const skipped = promtool === null ? " (SKIPPED: promtool is not installed here)" : "";
test.skipIf(promtool === null)(`promtool takes the alerts${skipped}`, async () => {
  const check = Bun.spawn([promtool ?? "", "check", "rules", RULES], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const said = await new Response(check.stderr).text();
  expect({ said, exitCode: await check.exited }).toEqual({ said: "", exitCode: 0 });
});
