// The arguments and the environment that this program was started with. Bun loses octets that are not UTF-8, so we ask
// the kernel.

import { readFileSync } from "node:fs";
import { decoded } from "../../bytes/text.ts";

/** In the environment of a process that is there for one login. */
export const LOGIN_MARK = "NULLMODEM_LOGIN";

/** In the environment of a process that serves files. */
export const FILES_MARK = "NULLMODEM_FILES";

/** Bun's replacement for octets that are not UTF-8. */
const LOST = "\ufffd";

/** The arguments after the program's own name. */
export function ownWords(): string[] {
  const words = process.argv.slice(2);
  if (!words.some((word) => word.includes(LOST))) return words;
  const given = textsIn("/proc/self/cmdline").slice(-words.length);
  return given.length === words.length ? given : words;
}

export function ownEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) env[name] = value;
  if (!Object.values(env).some((value) => value.includes(LOST))) return env;
  for (const text of textsIn("/proc/self/environ")) {
    const at = text.indexOf("=");
    const name = text.slice(0, at);
    if (env[name]?.includes(LOST)) env[name] = text.slice(at + 1);
  }
  return env;
}

function textsIn(path: string): string[] {
  try {
    return readFileSync(path, "latin1").split("\0").slice(0, -1).map(decoded);
  } catch {
    return [];
  }
}
