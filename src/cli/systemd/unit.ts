import { CAPACITY, CAPACITY_NAME } from "../../fetch_capacity.ts";
import { EXIT } from "../exit_codes.ts";
import { AMAZON_RESOLVER, METADATA_ADDRESSES } from "./metadata_addresses.ts";
import { PLACES, SERVICE } from "./places.ts";

/** What differs from machine to machine. */
export interface UnitOptions {
  /** Both are absolute, and hold nothing that systemd reads as more than a path. */
  readonly binary: string;
  readonly dataDir: string;
  /** Resolvers at addresses where clouds also tell a machine's secrets, which the service needs all the same. */
  readonly allowedResolvers?: readonly string[];
}

/** What makes the runtime run other code, open a debugger, write secrets down or trust anybody. */
const DANGEROUS_NAMES = [
  "BUN_OPTIONS BUN_BE_BUN BUN_INSPECT BUN_INSPECT_NOTIFY BUN_INSPECT_CONNECT_TO BUN_INSPECT_PRELOAD",
  "NODE_OPTIONS NODE_TLS_REJECT_UNAUTHORIZED BUN_CONFIG_VERBOSE_FETCH SSLKEYLOGFILE",
  "LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT",
];

/** What a human has to put right: starting again would only repeat it. */
const HUMAN_ERRORS = [EXIT.usage, EXIT.data, EXIT.permission, EXIT.configuration];

const STATE_ROOT = "/var/lib/";

/** Returns the unit that runs the proxy under systemd 247 or later, with a comment where a line needs its reason. */
export function unitText(options: UnitOptions): string {
  return `${[unitSection(), serviceSection(options), sandbox(options), installSection()].join("\n\n")}\n`;
}

function unitSection(): string {
  return `# Changes of your own belong in a drop-in, which an upgrade leaves alone: systemctl edit ${SERVICE}

[Unit]
Description=Inference Proxy, one OpenAI-compatible endpoint in front of several model providers
Wants=network-online.target
After=network-online.target nss-lookup.target
# A port that is taken or a full disk may pass: keep trying. What cannot pass is told apart by its exit code below.
StartLimitIntervalSec=0`;
}

function serviceSection({ binary, dataDir }: UnitOptions): string {
  return `[Service]
Type=notify
NotifyAccess=main
ExecStart=${binary} serve
WorkingDirectory=/
# The runtime sends 256 requests at a time unless it is told otherwise before it starts.
Environment=NODE_ENV=production ${CAPACITY_NAME}=${CAPACITY}
Environment=INFERENCE_PROXY_DATA_DIR=${dataDir}
EnvironmentFile=-${PLACES.settings}
${DANGEROUS_NAMES.map((names) => `UnsetEnvironment=${names}`).join("\n")}
# Only root can read the file; the service gets a copy in memory that is not swapped. To keep the file itself sealed by
# this machine (systemd 250): systemd-creds encrypt, and LoadCredentialEncrypted= in its place.
LoadCredential=master-key:${PLACES.masterKey}
SyslogIdentifier=${SERVICE}

User=${SERVICE}
Group=${SERVICE}
${dataDirLines(dataDir)}
RuntimeDirectory=${SERVICE}
RuntimeDirectoryMode=0700
UMask=0077

Restart=on-failure
RestartSec=2s
# ${EXIT.usage} command line, ${EXIT.data} damaged or newer database, ${EXIT.permission} permission, ${EXIT.configuration} configuration or wrong master key: a human is needed.
# ${EXIT.unavailable} address taken, ${EXIT.disk} disk, ${EXIT.locked} locked by another process: they may pass, and are tried again.
RestartPreventExitStatus=${HUMAN_ERRORS.join(" ")}
# A migration of a large database counts as starting.
TimeoutStartSec=300s
# Calls in flight end by themselves within 90 s; whoever allows them more is granted more by the service itself.
TimeoutStopSec=120s
# The sign of life comes from the event loop and the ledger, every half of this.
WatchdogSec=30s
KillMode=mixed
OOMPolicy=stop`;
}

/** systemd makes directories of its own below one folder only; another must be there already. */
function dataDirLines(dataDir: string): string {
  if (!dataDir.startsWith(STATE_ROOT))
    return `# Must exist and belong to ${SERVICE}, mode 0700.\nReadWritePaths=${dataDir}`;
  return `StateDirectory=${dataDir.slice(STATE_ROOT.length)}\nStateDirectoryMode=0700`;
}

function sandbox({ allowedResolvers = [] }: UnitOptions): string {
  return `# Two descriptors per call, and room for idle connections.
LimitNOFILE=65536
TasksMax=512
MemoryMax=75%
# Keys and prompts live in memory: nothing of it may reach a disk.
MemorySwapMax=0
LimitCORE=0

# The last wall against a base URL that leads to a cloud's metadata: such addresses hand out the machine's own keys.
# A resolver of the machine, such as 127.0.0.53, asks on the service's behalf and is not concerned. Amazon's resolver
# lies in the denied range and only answers names: it is allowed. Where /etc/resolv.conf names another of these
# addresses, as in some images of Google, Azure and Oracle, no name resolves until that one is allowed too: an install
# allows what it finds there.
${METADATA_ADDRESSES.map((range) => `IPAddressDeny=${range}`).join("\n")}
IPAddressAllow=${[AMAZON_RESOLVER, ...allowedResolvers].join(" ")}
# A netlink socket tells which addresses the machine has, which decides between IPv4 and IPv6.
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK

NoNewPrivileges=yes
# No port below 1024: put a reverse proxy in front, which also speaks TLS.
CapabilityBoundingSet=
AmbientCapabilities=
PrivateUsers=yes
PrivateDevices=yes
DevicePolicy=closed
PrivateTmp=yes
PrivateIPC=yes
PrivateMounts=yes
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
KeyringMode=private
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
# MemoryDenyWriteExecute= is left out on purpose: it takes the JIT from the runtime without a word, which makes it many
# times slower, and the notification of systemd with it. LimitAS= would do the same: limit memory by MemoryMax=.`;
}

function installSection(): string {
  return `[Install]
WantedBy=multi-user.target`;
}
