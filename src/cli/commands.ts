import { audit } from "./audit.ts";
import { backup } from "./backup.ts";
import type { Command } from "./command.ts";
import { completionOf } from "./completion.ts";
import { demo } from "./demo.ts";
import { doctor } from "./doctor.ts";
import { keyCreate, keyList, keyRevoke, keyShow, keyUpdate } from "./key.ts";
import { manualOf } from "./manual.ts";
import { masterKeyRotate, masterKeyVerify } from "./master_key.ts";
import { memberAdd, memberList, memberRemove } from "./member.ts";
import { openapi } from "./openapi.ts";
import { orgCreate, orgList } from "./org.ts";
import { providerList, providerRemove, providerSet, providerTest } from "./provider.ts";
import { restore } from "./restore.ts";
import { serve } from "./serve.ts";
import { settingsResetCircuit, settingsSet, settingsShow } from "./settings.ts";
import { status } from "./status.ts";
import { systemdInstall, systemdPrint, systemdUninstall } from "./systemd/systemd.ts";
import { usage } from "./usage.ts";
import { userCreate, userDelete, userList, userPasswd, userUnlock } from "./user.ts";
import { version } from "./version.ts";

/** Every command, in the order of help. */
export const COMMANDS: readonly Command[] = [
  serve,
  demo,
  status,
  doctor,
  orgList,
  orgCreate,
  userList,
  userCreate,
  userPasswd,
  userUnlock,
  userDelete,
  memberList,
  memberAdd,
  memberRemove,
  providerList,
  providerSet,
  providerTest,
  providerRemove,
  settingsShow,
  settingsSet,
  settingsResetCircuit,
  keyList,
  keyCreate,
  keyShow,
  keyUpdate,
  keyRevoke,
  usage,
  audit,
  systemdPrint,
  systemdInstall,
  systemdUninstall,
  backup,
  restore,
  masterKeyRotate,
  masterKeyVerify,
  openapi,
  completionOf(() => COMMANDS),
  manualOf(() => COMMANDS),
  version,
];
