// Options that give the peer a folder of this machine by HTTP.

import { decoded, encoded } from "../../bytes/text.ts";
import { OptionError } from "../error.ts";
import { field, INIT_ONLY, PRIORITY, PRIVILEGED, row } from "../row.ts";
import { flag } from "../row-kinds.ts";

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** Reads "500M". Undefined: it is no size. */
export function sizeOf(text: string): number | undefined {
  const [, digits, unit = ""] = /^(\d{1,15})([kMGT]?)$/.exec(text) ?? [];
  const size = Number(digits) * UNITS[unit]!;
  return Number.isSafeInteger(size) ? size : undefined;
}

export const FILES = [
  row({
    name: "files",
    rules: PRIORITY | PRIVILEGED | INIT_ONLY,
    about: "DIR: the peer's browser reads the files of this folder, at our address of the link",
    fields: field<"files", string | undefined>("files", undefined),
    set({ draft }, argument) {
      if (!argument.startsWith("/")) throw new OptionError(`files: ${decoded(argument)} does not begin with /`);
      draft.files = decoded(argument);
    },
    value: ({ files }) => files && encoded(files),
  }),
  flag(
    "files-write",
    "filesWrite",
    PRIVILEGED | INIT_ONLY,
    "with files: the peer may also send files, and replace them",
  ),
  flag(
    "files-auth",
    "filesAuth",
    PRIVILEGED | INIT_ONLY,
    "with files: only for users with a password in pap-secrets or chap-secrets",
  ),
  flag(
    "files-smb",
    "filesSmb",
    PRIVILEGED | INIT_ONLY,
    "with files: also in Windows' network (SMB 1), for Windows 95 to XP and DOS, without encryption",
  ),
  row({
    name: "files-quota",
    rules: PRIVILEGED | INIT_ONLY,
    about: "with files-write: the folder takes no more than this in all, such as 500M or 4G",
    fields: field<"filesQuota", number | undefined>("filesQuota", undefined),
    set({ draft }, argument) {
      draft.filesQuota = sizeOf(argument);
      if (draft.filesQuota === undefined)
        throw new OptionError(`files-quota: ${decoded(argument)} is not a size, such as 500M or 4G`);
    },
    value: ({ filesQuota }) => (filesQuota === undefined ? undefined : String(filesQuota)),
  }),
  row({
    name: "files-names",
    rules: PRIVILEGED | INIT_ONLY,
    about: "8.3: with files: pages show names of eight and three characters, for DOS",
    fields: field<"filesShortNames", boolean>("filesShortNames", false),
    set({ draft }, argument) {
      if (argument !== "8.3" && argument !== "long") throw new OptionError("files-names is 8.3 or long");
      draft.filesShortNames = argument === "8.3";
    },
    value: ({ filesShortNames }) => (filesShortNames ? "8.3" : undefined),
  }),
  row({
    name: "files-port",
    rules: PRIVILEGED | INIT_ONLY,
    about: "with files: the TCP port. Without it 80, or 8080 where 80 is taken or not allowed",
    fields: field<"filesPort", number | undefined>("filesPort", undefined),
    set({ draft }, argument) {
      const port = /^\d{1,5}$/.test(argument) ? Number(argument) : 0;
      if (port < 1 || port > 0xffff) throw new OptionError(`files-port: ${decoded(argument)} is not a TCP port`);
      draft.filesPort = port;
    },
    value: ({ filesPort }) => (filesPort === undefined ? undefined : String(filesPort)),
  }),
] as const;
