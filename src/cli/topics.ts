import alerts from "../ops/alert_rules.yml" with { type: "file" };
import dashboard from "../ops/grafana_dashboard.json" with { type: "file" };
import api from "../docs/api.md" with { type: "file" };
import backup from "../docs/backup.md" with { type: "file" };
import clients from "../docs/clients.md" with { type: "file" };
import configuration from "../docs/configuration.md" with { type: "file" };
import errors from "../docs/errors.md" with { type: "file" };
import limits from "../docs/limits.md" with { type: "file" };
import operating from "../docs/operating.md" with { type: "file" };
import quickstart from "../docs/quickstart.md" with { type: "file" };
import residency from "../docs/residency.md" with { type: "file" };
import reverseProxy from "../docs/reverse_proxy.md" with { type: "file" };
import security from "../docs/security.md" with { type: "file" };

/** Something to read that help prints by its name. */
export interface Topic {
  readonly name: string;
  /** One sentence without its full stop. */
  readonly summary: string;
  /** Where the text lies: in the program itself, once that is compiled. */
  readonly path: string;
  /** Whether the text is for people. The others are printed to the byte, for the programs that read them. */
  readonly isPage: boolean;
}

/** Every topic, in the order of help. A page is named like its file, unless a command has that name. */
export const TOPICS: readonly Topic[] = [
  page("quickstart", quickstart, "From nothing to a bill in five minutes"),
  page("clients", clients, "How to point each client here, and its trap"),
  page("limits", limits, "Rate limit, token ceiling, cost circuit; how money is counted"),
  page("residency", residency, "What EU residency is decided from, what is stored, what leaves"),
  page("security", security, "What is promised and what is not, and how to rotate keys"),
  page("operating", operating, "Service, log, probes, metrics, traces, memory, upgrades"),
  page("backups", backup, "Backing up, restoring, and the master key"),
  page("reverse_proxy", reverseProxy, "nginx, Caddy, HAProxy or Traefik in front, and TLS"),
  page("configuration", configuration, "Every setting"),
  page("api", api, "The HTTP interfaces, one command line for each noun"),
  page("errors", errors, "Every error code, its cause and what to do; exit codes"),
  file("dashboard", dashboard, "A dashboard for Grafana, as JSON"),
  file("alerts", alerts, "Alert rules for Prometheus, as YAML"),
];

/** Returns the topic of a name, which may be written like a file's: `reverse-proxy.md`. */
export function findTopic(name: string): Topic | undefined {
  const bare = name.replace(/\.md$/, "").replaceAll("-", "_");
  return TOPICS.find((topic) => topic.name === bare);
}

/** Reads what a topic has to say, its line end included. */
export async function topicText({ path, isPage }: Topic): Promise<string> {
  const text = await Bun.file(path).text();
  // On a terminal nobody reads the remarks for the tests.
  return isPage ? text.replaceAll(/^<!--.*-->\n\n?/gm, "") : text;
}

/** Lists the topics, one on each line, as the end of the overview. */
export function topicLines(): string {
  const width = Math.max(...TOPICS.map(({ name }) => name.length)) + 2;
  const lines = TOPICS.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
  return ["Topics, shown by help TOPIC:", ...lines].join("\n");
}

function page(name: string, imported: unknown, summary: string): Topic {
  return { name, summary, path: pathOf(imported), isPage: true };
}

function file(name: string, imported: unknown, summary: string): Topic {
  return { name, summary, path: pathOf(imported), isPage: false };
}

/** Imported in this way, a file is its path, whatever the compiler takes it for. */
function pathOf(imported: unknown): string {
  if (typeof imported === "string") return imported;
  throw new TypeError("Cannot find embedded file: expected its path");
}
