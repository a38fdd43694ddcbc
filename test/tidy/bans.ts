import { codeOf, lineAt, type Source } from "./source.ts";

/** Something that has its one place: what it looks like, where it may stand and what to do elsewhere. */
interface Ban {
  readonly name: string;
  readonly pattern: RegExp;
  /** Where the rule holds. */
  readonly in: RegExp;
  /** Where it may stand, each with its reason in a comment. */
  readonly except: readonly string[];
  readonly use: string;
}

const PROGRAM = /^(src|migrations)\//;

const BANS: readonly Ban[] = [
  {
    name: "the environment",
    pattern: /\b(process|Bun|import\.meta)\.env\b/g,
    in: PROGRAM,
    // One variable is needed before the configuration is loaded. The build-time programs are not the product.
    except: ["src/config.ts", "src/fetch_capacity.ts", "src/tools/"],
    use: "a setting of src/config.ts, handed down as an argument",
  },
  {
    name: "a request to another host",
    pattern:
      /(\bawait|\breturn|\bvoid|[=([>?]|\bBun\.|\bglobalThis\.)\s*fetch\(|\bFetchSession\b|"node:(https?|net|tls|http2)"/g,
    in: PROGRAM,
    // The command line and the build-time programs are clients of the product's own interfaces.
    // A socket in the file system is this machine.
    // Traces go to a collector that the operator named, and hold nothing that a client said.
    except: [
      "src/data_plane/forward.ts",
      "src/std/unix_server.ts",
      "src/std/otlp_exporter.ts",
      "src/cli/",
      "src/tools/",
    ],
    use: "forward() of src/data_plane/forward.ts, the one way out",
  },
  {
    name: "a lookup of a host",
    pattern: /\bBun\.dns\b|"(node:)?dns(\/promises)?"/g,
    in: PROGRAM,
    except: ["src/std/host_lookup.ts"],
    use: "an UpstreamHost, which judges what was found and is called at it",
  },
  {
    name: "the database",
    pattern: /"(kysely|kysely\/[^"]*|kysely-bun-sqlite|bun:sqlite)"/g,
    in: PROGRAM,
    // The build-time programs inspect a database that the product wrote.
    except: ["src/store/", "migrations/", "src/tools/"],
    use: "a query in src/store, as a function of db",
  },
  {
    name: "the time",
    pattern:
      /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bprocess\.hrtime\b|\bBun\.nanoseconds\b/g,
    in: PROGRAM,
    // The build-time programs measure.
    except: ["src/std/clock.ts", "src/tools/"],
    use: "a Clock, passed in",
  },
  {
    name: "chance",
    pattern: /\bMath\.random\b/g,
    in: PROGRAM,
    except: ["src/tools/"],
    use: "crypto.getRandomValues",
  },
  {
    name: "the terminal",
    pattern: /\bconsole\.|\bprocess\.(stdout|stderr)\b/g,
    in: PROGRAM,
    // A log is made there; the build-time programs report to people.
    except: ["src/cli/", "src/std/log.ts", "src/tools/"],
    use: "the Log, passed in",
  },
  {
    name: "the end of the process",
    pattern: /\bprocess\.(exit|exitCode|abort)\b/g,
    in: PROGRAM,
    except: ["src/cli/", "src/main.ts", "src/tools/"],
    use: "an error that rises to src/cli, which owns exit codes",
  },
  {
    name: "a provider's name",
    pattern: /"(openai|anthropic|mistral|groq|azure_openai)"/g,
    in: PROGRAM,
    // Wires are called openai and anthropic too, so those two floors are read by the next rule; the
    // demo acts as an operator who chose two providers.
    except: [
      "src/providers/",
      "src/domain/",
      "src/wire/",
      "src/stand_in/",
      "src/tools/",
      "src/cli/demo.ts",
    ],
    use: "a field of the provider, in src/providers",
  },
  {
    name: "a provider's name",
    pattern: /"(mistral|groq|azure_openai)"/g,
    in: /^src\/(domain|wire)\//,
    // Lists the ids.
    except: ["src/domain/provider.ts"],
    use: "a quirk of the provider, in src/providers",
  },
  {
    name: "a marker of unfinished work",
    pattern: new RegExp(
      `\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"].join("|")})\\b`,
      "g",
    ),
    in: /./,
    except: [],
    use: "the finished work",
  },
  {
    name: "a test that does not run",
    pattern: /\b(test|it|describe)\.(only|skip|todo)\b/g,
    in: /^test\//,
    except: ["test/tidy_test.ts"],
    use: "a test that runs, or none",
  },
  {
    name: "the word downstream",
    pattern: /\bdownstream\b/gi,
    in: PROGRAM,
    except: [],
    use: "client or upstream: half the world means the other side",
  },
];

/** Words of the product's domain: the lowest floor would be at home in any other program. */
const DOMAIN_WORDS =
  /\b(organi[sz]ations?|inference|providers?|openai|anthropic|mistral|groq|azure|upstreams?|ledger|microcents|embeddings?|prompts?)\b/i;

/** Refuses what has its one place and stands in another. Comments are read too where they would mislead. */
export function bans(source: Source): string[] {
  return BANS.filter((ban) => ban.in.test(source.path))
    .filter((ban) => !ban.except.some((place) => source.path.startsWith(place)))
    .flatMap((ban) => {
      const commented = ban.name.startsWith("a marker") || ban.name.startsWith("the word");
      const text = commented ? source.text : codeOf(source.text);
      return [...text.matchAll(ban.pattern)].map(
        (match) =>
          `${source.path}:${lineAt(text, match.index)} holds ${ban.name} (${match[0].trim()}). ` +
          `Use ${ban.use}.`,
      );
    });
}

/** Refuses words of the domain on the lowest floor, comments included. */
export function domainWordsInStd(source: Source): string[] {
  if (!source.path.startsWith("src/std/")) return [];
  const word = DOMAIN_WORDS.exec(source.text)?.[0];
  if (word === undefined) return [];
  return [
    `${source.path} says "${word}". Say it in general words, or move the file to src/domain.`,
  ];
}
