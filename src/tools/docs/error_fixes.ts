import type { ExitCode } from "../../cli/exit_codes.ts";
import type { ErrorCode } from "../../domain/errors.ts";
import type { ManagementErrorCode } from "../../management_plane/error_response.ts";

/** What to do about each code of the data plane. */
export const CALL_FIXES: Readonly<Record<ErrorCode, string>> = {
  invalid_model:
    "Write the model as `provider/model`, such as `openai/gpt-4o-mini`; `GET /inference/v1/models` lists what the key can reach. The message says which of the causes it is.",
  unsupported_parameter:
    "Leave the field out, or call a provider that has it. It is never dropped in silence, because it would change what you get.",
  invalid_value: "Correct the field. The message says what is expected there.",
  invalid_key:
    "Send the whole key, `fdb-inf-` and 49 characters, in `Authorization: Bearer`, `x-api-key` or `api-key`; if several of them are sent, they must agree. `inference-proxy key list` shows whether the key is active. A suspended key is resumed by `inference-proxy key update NAME --resume`; a revoked one is replaced by a new one.",
  cost_circuit_open:
    "Do not retry. With `circuit_open` true an owner or admin raises the limit and resets it: `inference-proxy settings reset-circuit --monthly-cost-limit 900`. With `circuit_open` false the calls in flight may use up the rest: it passes when they end, or when the limit is raised. See [limits](limits.md).",
  eu_residency_unavailable:
    "Call a provider with an EU-resident route: `inference-proxy provider list` shows which ones are. See [EU residency](residency.md).",
  unknown_url:
    "Set the client's base URL to `https://HOST/inference/v1`. If its path ends in `/responses`, `/completions` or `/messages`, tell the client to use chat completions: see [clients](clients.md).",
  method_not_allowed: "Use the method that `Allow` names.",
  provider_not_configured:
    "`inference-proxy provider set PROVIDER`. If it says that the configuration must be entered again, the stored provider key cannot be opened, or its host is no longer allowed: the log says which.",
  settings_not_configured: "`inference-proxy settings set --monthly-cost-limit 600`",
  request_too_large: "Send less, or raise `--body-limit-mb`.",
  rate_limited:
    "Wait as long as `Retry-After` says: SDKs do so by themselves. For good: `inference-proxy key update NAME --rpm 600`. If the message speaks of calls in flight, it is `--key-concurrency` that is full.",
  token_ceiling_exceeded:
    "Do not retry. `inference-proxy key update NAME --monthly-tokens 2000000`, or wait until `resets_at`. If `used` is below `limit`, calls in flight hold the rest: ask for fewer output tokens, or raise the limit. See [limits](limits.md).",
  upstream_error:
    "Read `upstream_status` and `upstream_body`. With 401 or 403 the provider key is at fault: `inference-proxy provider set PROVIDER`. With 429 the provider limits your account. With `upstream_status` null there was no answer: the log says why the host cannot be reached.",
  overloaded:
    "Retry after `Retry-After`. If it goes on, ask `/readyz` and read the log: the disk is full or failing, memory is short (`--memory-limit-mb`), or too many calls are in flight (`--concurrency`).",
  shutting_down: "Retry: the next process answers.",
  upstream_timeout:
    "The message says what ran out: the time until the answer begins (`--upstream-headers-timeout-s`), a pause in it (`--upstream-idle-timeout-s`), or its whole length (`--answer-time-limit-s`). What was generated is charged.",
  upstream_stream_interrupted: "Make the call again. What had arrived is charged, as an estimate.",
  internal_error:
    "Report it with the `x-request-id` and the line of the log that has it. The text of the prompt is not needed, and not in the log.",
};

/** What to do about each code of the management plane. */
export const MANAGEMENT_FIXES: Readonly<Record<ManagementErrorCode, string>> = {
  invalid_request: "The message names the field or parameter and what is expected there.",
  unknown_provider: "Write `openai`, `anthropic`, `mistral`, `azure_openai` or `groq`.",
  api_key_required:
    "Send `api_key`. A stored provider key is never sent to another host than the one it was given for, so a new `base_url` needs the key again.",
  base_url_required:
    "Send `base_url`: for `azure_openai` always, for the others where `eu_endpoint` is true and their default route is not EU-resident.",
  base_url_refused:
    "The message says what is wrong with the URL. A host of your own has to be allowed by the operator: `--allow-upstream HOST:PORT`.",
  alias_unpriced:
    "Name a model of the catalogue as `provider/model`, or give rates instead of `alias_of`.",
  unauthorized:
    "Send HTTP basic authentication. A lost password is replaced on the machine itself: `inference-proxy user passwd NAME`.",
  forbidden: "Ask an owner: `inference-proxy member add NAME --role admin`.",
  cross_site_request: "Send it from a program, or from a page of the same site.",
  unknown_url: "`/docs` shows every route.",
  organization_not_found: "`GET /organizations` lists those that you are a member of.",
  provider_config_not_found: "`inference-proxy provider list` shows what is configured.",
  inference_key_not_found: "`inference-proxy key list` shows the keys and their ids.",
  settings_not_configured:
    "Send `monthly_cost_limit_cents` once, or `inference-proxy settings set --monthly-cost-limit 600`.",
  member_not_found: "`inference-proxy member list` shows the members and their ids.",
  price_not_found: "`GET .../inference/prices` lists the prices of your own.",
  user_not_found: "`inference-proxy user list` shows the users.",
  call_not_found:
    "Use the `x-request-id` of the answer. Refused calls are not recorded; the others are kept for `--call-retention-days`.",
  method_not_allowed: "Use a method that `Allow` names.",
  key_revoked: "Create a new key. Revoking is for good; suspending is not.",
  circuit_still_over: "Send a higher `monthly_cost_limit_cents` together with `reset_circuit`.",
  already_member: "Nothing is left to do. Another role needs the membership to be ended first.",
  last_owner: "Make somebody else an owner first.",
  name_taken: "Choose another name.",
  slug_taken: "Choose another slug: `inference-proxy org create NAME --slug SLUG`.",
  changed_meanwhile: "Read it again, and repeat your change if it still makes sense.",
  test_under_way: "Wait for the answer of the test that is under way: 10 s at most.",
  rotation_unfinished: "`inference-proxy master-key rotate` goes on where it was left.",
  too_many_prices: "Delete prices that are no longer used.",
  request_too_large: "Send less: no body of this plane needs to be large.",
  unsupported_media_type: "Send `content-type: application/json`, and the body as it is.",
  unknown_host:
    "Start with `--host-name HOST` for the name that you ask under. Addresses and `localhost` need none.",
  too_many_attempts:
    "Wait as long as `Retry-After` says, or on the machine itself: `inference-proxy user unlock NAME`.",
  internal_error: "Read the log, and report it.",
  overloaded: "Try again after `Retry-After`. If it goes on, look at the disk.",
};

/** What each exit code means, and whether a service manager should try again. */
export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: "It went well.",
  64: "The command line cannot be understood, or what it asks for is refused as malformed.",
  65: "The database is damaged or newer than this program, or what was asked for contradicts what is there.",
  66: "What was named does not exist: no database, no such key.",
  69: "The address is taken, no server runs, or a provider cannot be reached. It may pass.",
  70: "A fault of the program itself. Report it, with what it printed.",
  74: "The disk is full or failing. It may pass.",
  75: "Another process has the data directory. It may pass.",
  77: "This user may not do that.",
  78: "The configuration or the master key is at fault.",
};
