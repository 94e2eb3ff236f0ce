// A name that the system can look up without a network.

import { readFileSync } from "node:fs";

/** Why "localhost" cannot be looked up here, or undefined. */
export const noLocalhost: string | undefined = /^127\.0\.0\.1\s.*\blocalhost\b/m.test(hosts())
  ? undefined
  : "/etc/hosts does not name localhost";

function hosts(): string {
  try {
    return readFileSync("/etc/hosts", "utf8");
  } catch {
    return "";
  }
}
