import * as v from "valibot";
import type { ErrorCode } from "../../domain/errors.ts";
import { PROVIDER_IDS } from "../../domain/provider.ts";
import type { RouteGroup, Schema } from "../../std/route_description.ts";
import { chat } from "./chat.ts";
import { embeddings } from "./embeddings.ts";
import { models } from "./models.ts";

/** Every route of the data plane, described. */
export const GROUPS: readonly RouteGroup<ErrorCode>[] = [chat, embeddings, models];

/** The variable segments of paths. */
export const PATH_PARAMETERS: Readonly<Record<string, Schema>> = {
  provider: v.pipe(v.picklist(PROVIDER_IDS), v.description("The provider")),
  model: v.pipe(
    v.string(),
    v.description("The model, in the provider's own words, slashes included"),
  ),
};
