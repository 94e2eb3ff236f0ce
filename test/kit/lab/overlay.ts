// The differences between guests: name, users and /etc/ppp, as an archive that is unpacked over the image.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Cpio } from "./cpio.ts";

/** Files of /etc in every guest. Of Debian's PAM there is only the module that looks up passwords. */
const ETC: Readonly<Record<string, string>> = {
  passwd: "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
  group: "root:x:0:\ntty:x:5:\ndip:x:30:\nshadow:x:42:\nnogroup:x:65534:\n",
  shadow: "root:*:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\n",
  hosts: "127.0.0.1 localhost\n",
  "nsswitch.conf": ["passwd", "group", "shadow", "hosts", "protocols", "services"]
    .map((name) => `${name}: files\n`)
    .join(""),
  shells: "/bin/sh\n",
  "login.defs": "ENCRYPT_METHOD SHA512\n",
  "pam.d/common-auth": "auth required pam_unix.so nullok\n",
  "pam.d/common-account": "account required pam_unix.so\n",
  "pam.d/common-session": "session required pam_unix.so\n",
  "pam.d/common-password": "password required pam_unix.so nullok sha512\n",
  "pam.d/other": ["auth", "account", "session"].map((kind) => `${kind} required pam_deny.so\n`).join(""),
};
/** Files whose lines are added to those of every guest. A line for the same name replaces it. */
const ACCOUNTS = ["passwd", "group", "shadow"];
const FIRST_USER = 1000;

/**
 * `etc` becomes /etc/ppp, but its hosts, passwd, group and shadow are added to those of /etc, and pam.d goes to /etc.
 * `users` are NAME:PASSWORD. Secrets are readable for root only, whatever modes a checkout gave them.
 */
export function overlay(hostname: string, etc: string | undefined, users: readonly string[]): Uint8Array {
  const cpio = new Cpio();
  const files = new Map(Object.entries({ ...ETC, hostname: `${hostname}\n` }));
  for (const name of etc === undefined ? [] : readdirSync(etc, { recursive: true, encoding: "utf8" })) {
    const path = join(etc!, name);
    const status = statSync(path);
    if (!status.isFile()) continue;
    if (name === "hosts") files.set(name, files.get(name)! + readFileSync(path, "utf8"));
    else if (ACCOUNTS.includes(name)) files.set(name, merged(files.get(name)!, readFileSync(path, "utf8")));
    else if (name.startsWith("pam.d/")) files.set(name, readFileSync(path, "utf8"));
    else cpio.file(join("etc/ppp", name), readFileSync(path), name.endsWith("-secrets") ? 0o600 : status.mode & 0o7777);
  }
  users.forEach((user, index) => {
    const [name = "", ...password] = user.split(":");
    const id = FIRST_USER + index;
    files.set("passwd", merged(files.get("passwd")!, `${name}:x:${id}:${id}:${name}:/home/${name}:/bin/sh\n`));
    files.set("group", merged(files.get("group")!, `${name}:x:${id}:\n`));
    files.set("shadow", merged(files.get("shadow")!, `${name}:${hashed(password.join(":"))}:19000:0:99999:7:::\n`));
    cpio.folder(`home/${name}`);
  });
  for (const [name, text] of files) cpio.file(join("etc", name), text, name === "shadow" ? 0o640 : 0o644);
  return cpio.end();
}

function merged(lines: string, more: string): string {
  const nameOf = (line: string): string => line.split(":")[0]!;
  const added = more.split("\n").filter((line) => line !== "");
  const names = new Set(added.map(nameOf));
  const kept = lines.split("\n").filter((line) => line !== "" && !names.has(nameOf(line)));
  return [...kept, ...added].map((line) => `${line}\n`).join("");
}

/** The second field of a line of shadow, by SHA-512. */
function hashed(password: string): string {
  const { stdout, exitCode } = Bun.spawnSync(["busybox", "mkpasswd", "-m", "sha512", "-P", "0"], {
    stdin: new TextEncoder().encode(`${password}\n`),
  });
  if (exitCode !== 0) throw new Error("busybox mkpasswd failed");
  return stdout.toString().trim();
}
