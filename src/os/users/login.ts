// `login` and `enable-session`: the system's word on a user, and the session it keeps. PAM where there is PAM, otherwise
// the password and shadow files as a pppd without PAM reads them. pap-secrets is not asked here.

import { bytesOf } from "../../bytes/text.ts";
import { cryptMatches, haveCrypt } from "./crypt.ts";
import type { LogLevel } from "../log/log.ts";
import { havePam, pamLogin, type PamSession } from "./pam.ts";
import { hasExpired, type SystemUser, systemUser } from "./passwd.ts";
import { recordLastLogin, recordLogin, recordLogout } from "./utmp.ts";

export interface LoginRequest {
  /** As the peer sent it, one char a byte. */
  readonly user: string;
  /**
   * As the peer sent it: bytes, or one char a byte. Undefined for `enable-session`, where the peer is authenticated by
   * other means and only its account and session are the system's.
   */
  readonly password: Uint8Array | string | undefined;
  /** "/dev/ttyS1" */
  readonly tty: string;
  /** "ppp0" */
  readonly ifname: string;
  readonly log: (level: LogLevel, text: string) => void;
  /** False: as on a system without PAM. */
  readonly pam?: boolean;
}

export interface LoginSession {
  /** Ends it: PAM's session, and the line in utmp and wtmp. A second call does nothing. */
  close(): void;
}

/** `message` goes to the peer. `delayMs`: hold it back that long, so that guessing is slow; this call does not wait. */
export type LoginResult =
  { ok: true; message: string; session: LoginSession } | { ok: false; message: string; delayMs: number };

/** Blocks while the system thinks: milliseconds, unless a PAM module asks a distant server. */
export function systemLogin(request: LoginRequest): LoginResult {
  const { log, ifname } = request;
  const user = request.user;
  const password = typeof request.password === "string" ? bytesOf(request.password) : request.password;
  // To the C library a NUL is the end: "root\0x" must not be root, nor "secret\0x" its password.
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
  // 2.3.11 said "user zaphod logged in", and no more; 2.4.9's line still begins so.
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

/** The user, when the password is right and neither it nor the account has expired. */
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

/** The peer chose its name: whatever could forge or garble a log line is shown as pppd shows it, `^J` and `M-i`. */
function printable(text: string): string {
  return text.replace(/[\x00-\x08\x0a-\x1f\x7f-\xff]/g, (char) => {
    const code = char.charCodeAt(0);
    const low = code & 0x7f;
    const plain = low < 0x20 || low === 0x7f ? `^${String.fromCharCode(low ^ 0x40)}` : String.fromCharCode(low);
    return code < 0x80 ? plain : `M-${plain}`;
  });
}
