import type { ProviderId } from "../domain/provider.ts";
import { anthropic } from "./anthropic.ts";
import { azureOpenAi } from "./azure_openai.ts";
import { groq } from "./groq.ts";
import { mistral } from "./mistral.ts";
import { openai } from "./openai.ts";
import type { Provider } from "./provider.ts";

/** Every provider by its id. A new one is a file beside this one and a line here. */
export const PROVIDERS: Readonly<Record<ProviderId, Provider>> = {
  openai,
  anthropic,
  mistral,
  azure_openai: azureOpenAi,
  groq,
};
