// Checks of the options of `files`.

import type { Config, Draft } from "./config.ts";
import { OptionError } from "./error.ts";
import type { OptionHost } from "./host.ts";

/** Warns of options that do nothing without another one. */
export function warnOfIdleFiles(draft: Draft, host: OptionHost): void {
  const { files, filesWrite, filesAuth, filesSmb, filesQuota, filesShortNames, filesPort } = draft;
  const given = {
    "files-write": filesWrite,
    "files-auth": filesAuth,
    "files-smb": filesSmb,
    "files-quota": filesQuota !== undefined,
    "files-names": filesShortNames,
    "files-port": filesPort !== undefined,
  };
  for (const [name, isGiven] of Object.entries(given))
    if (isGiven && files === undefined) host.warn(`${name} has no effect without files`);
  if (files !== undefined && filesQuota !== undefined && !filesWrite)
    host.warn("files-quota has no effect without files-write");
}

/** Why the folder of `files` cannot be served. Undefined: it is there, or none is asked for. */
export function folderTrouble({ files }: Pick<Config, "files">, host: OptionHost): string | undefined {
  return files === undefined || host.isFolder(files) ? undefined : `files: ${files} is not a folder`;
}

/** Throws OptionError when the folder of `files` cannot be served. */
export function requireFolder(config: Pick<Config, "files">, host: OptionHost): void {
  const trouble = folderTrouble(config, host);
  if (trouble !== undefined) throw new OptionError(trouble);
}
