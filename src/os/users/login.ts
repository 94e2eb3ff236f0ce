// `login` and `enable-session`: authenticates a user against the system and opens its session. Uses PAM if the system
// has it, otherwise the password and shadow files, as a pppd without PAM does. pap-secrets is not consulted here.

import { bytesOf } from "../../bytes/text.ts";
import { cryptMatches, haveCrypt } from "./crypt.ts";
import type { LogLevel } from "../log/log-writer.ts";
import { havePam, pamLogin, type PamSession } from "./pam.ts";
import { hasExpired, type SystemUser, systemUser } from "./passwd.ts";
import { recordLastLogin, recordLogin, recordLogout } from "./utmp.ts";

export interface LoginRequest {
  /** The user name as the peer sent it, one char a byte. */
  readonly user: string;
  /**
   * The password as the peer sent it: bytes, or one char a byte. Undefined for `enable-session`, where the peer is
   * authenticated by other means and only the account and the session are checked here.
   */
  readonly password: Uint8Array | string | undefined;
  /** "/dev/ttyS1" */
  readonly tty: string;
  /** "ppp0" */
  readonly ifname: string;
  readonly log: (level: LogLevel, text: string) => void;
  /** False makes us act as on a system without PAM. */
  readonly pam?: boolean;
}

export interface LoginSession {
  /** Closes the PAM session and records the logout in utmp and wtmp. A second call does nothing. */
  close(): void;
}

/** `message` is for the peer. `delayMs` is how long to hold it back, to slow down guessing; this call does not wait. */
export type LoginResult =
  { ok: true; message: string; session: LoginSession } | { ok: false; message: string; delayMs: number };

/** Blocks during the check. That takes milliseconds, unless a PAM module asks a remote server. */
export function systemLogin(request: LoginRequest): LoginResult {
  const { log, ifname } = request;
  const user = request.user;
  const password = typeof request.password === "string" ? bytesOf(request.password) : request.password;
  // C code ends a string at the NUL: "root\0x" must not become root, nor "secret\0x" its password.
  if (user.includes("\0") || password?.includes(0)) return { ok: false, message: "Login incorrect", delayMs: 0 };

  let message = "Login ok";
  let pamSession: PamSession | undefined;
  let account: SystemUser | undefined;
  if (request.pam !== false && havePam()) {
    const answer = pamLogin({ user, password, tty: request.tty, ifname }, (level, text) => log(level, printable(text)));
    if (!answer.ok) return answer;
    message = answer.message;
    pamSession = answer.session;
  } else if (password !== undefined) {
    account = checkPassword(user, password, log);
    if (account === undefined) return { ok: false, message: "Login incorrect", delayMs: 0 };
  }

  const record = { line: request.tty.replace(/^\/dev\//, ""), user, host: ifname };
  recordLogin(record);
  if (account !== undefined) recordLastLogin(account.uid, record);
  // pppd 2.3.11 logged only "user zaphod logged in"; 2.4.9's line still begins with it.
  log("info", printable(`user ${user} logged in on tty ${record.line} intf ${ifname}`));

  let open = true;
  const close = () => {
    if (!open) return;
    open = false;
    pamSession?.close();
    recordLogout(record.line);
  };
  return { ok: true, message, session: { close } };
}

/** The user, if the password is right and neither the password nor the account has expired. */
function checkPassword(name: string, password: Uint8Array, log: LoginRequest["log"]): SystemUser | undefined {
  const user = systemUser(name);
  if (user?.hash === undefined) return undefined;
  if (hasExpired(user, Math.floor(Date.now() / 86_400_000))) {
    log("warn", printable(`Password for ${name} has expired`));
    return undefined;
  }
  if (!haveCrypt()) log("error", "Can't check passwords: this system has no crypt(3)");
  return cryptMatches(password, user.hash) ? user : undefined;
}

/** The name is the peer's choice. Characters that could forge a log line are shown as pppd does, `^J` and `M-i`. */
function printable(text: string): string {
  return text.replace(/[\x00-\x08\x0a-\x1f\x7f-\xff]/g, (char) => {
    const code = char.charCodeAt(0);
    const low = code & 0x7f;
    const plain = low < 0x20 || low === 0x7f ? `^${String.fromCharCode(low ^ 0x40)}` : String.fromCharCode(low);
    return code < 0x80 ? plain : `M-${plain}`;
  });
}
