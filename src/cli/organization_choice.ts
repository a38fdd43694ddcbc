import { FlagError } from "../std/flags.ts";
import type { CommandLine } from "../std/flags.ts";
import type { JsonObject } from "../std/json.ts";
import { valueFlag } from "./command.ts";
import { listOf, type ManagementClient, textOf } from "./management_client.ts";

/** Says which organization a command is about. */
export const ORG_FLAG = valueFlag(
  "--org",
  "SLUG",
  "The organization, by its slug or id",
  "the only one there is",
);

/** Returns the organization that a command is about. @throws {FlagError} If that is not clear. */
export async function chooseOrganization(
  client: ManagementClient,
  { flags }: Pick<CommandLine, "flags">,
): Promise<JsonObject> {
  const organizations = listOf(await client.call("GET", "/organizations"), "organizations");
  const wanted = flags.get(ORG_FLAG.name)?.at(-1);
  const slugs = organizations.map((organization) => textOf(organization, "slug"));
  const fix = `write --org with one of ${slugs.join(", ")}`;
  if (wanted === undefined) {
    const [only, second] = organizations;
    if (only !== undefined && second === undefined) return only;
    throw new FlagError("Cannot choose organization: there is more than one", fix);
  }
  const found = organizations.find(({ slug, id }) => slug === wanted || id === wanted);
  if (found !== undefined) return found;
  throw new FlagError(`Cannot find organization: there is no "${wanted}"`, fix);
}

/** Returns the path of what belongs to the organization that a command is about: `.../inference`. */
export async function inferencePath(
  client: ManagementClient,
  line: Pick<CommandLine, "flags">,
): Promise<string> {
  const organization = await chooseOrganization(client, line);
  return `/organizations/${textOf(organization, "id")}/inference`;
}
