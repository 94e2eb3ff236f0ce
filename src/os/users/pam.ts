// PAM, used as pppd does for `login` and `enable-session`: service "ppp", one handle from the first check to the
// logout.
//
// PAM runs in this process, not in a child. Session modules act on the process that opens the session (limits, cgroup,
// login uid, key ring), that process must live until the session is closed, and its pid is in PAM's syslog lines. PAM's
// delay after a failure (about two seconds) would stall the link. So PAM passes the delay to us instead of sleeping,
// and our caller holds back the answer for that time. A module that waits for a remote server does stall us, as it
// stalls pppd. Only the authentication is in progress then.
//
// PAM's callbacks run on our own thread, within the call. Its modules may fork helpers (unix_chkpwd, pam_exec) and wait
// for them by pid. Bun does not interfere: it watches only the children that it started.

import { JSCallback, type Pointer, read } from "bun:ffi";
import { bytesOf } from "../../bytes/text.ts";
import { cstring, Memory } from "../ffi/libc.ts";
import { LIBC, library, terminated } from "../ffi/library.ts";
import type { LogLevel } from "../log/log-writer.ts";

const libpam = library(["libpam.so.0"], {
  pam_start: { args: ["ptr", "ptr", "ptr", "ptr"], returns: "i32" },
  pam_set_item: { args: ["ptr", "i32", "ptr"], returns: "i32" },
  pam_authenticate: { args: ["ptr", "i32"], returns: "i32" },
  pam_acct_mgmt: { args: ["ptr", "i32"], returns: "i32" },
  pam_open_session: { args: ["ptr", "i32"], returns: "i32" },
  pam_close_session: { args: ["ptr", "i32"], returns: "i32" },
  pam_end: { args: ["ptr", "i32"], returns: "i32" },
  pam_strerror: { args: ["ptr", "i32"], returns: "cstring" },
});

// PAM frees our answers with the C library's free, so they come from its allocator.
const libc = library(LIBC, {
  calloc: { args: ["u64", "u64"], returns: "ptr" },
  strdup: { args: ["ptr"], returns: "ptr" },
  memcpy: { args: ["ptr", "ptr", "u64"], returns: "ptr" },
  openlog: { args: ["ptr", "i32", "i32"], returns: "void" },
});

// Linux-PAM reports every step to the kernel's audit. libaudit takes our interface for a host name and asks the name
// servers for it. When they do not answer, that takes 10 s a step and 30 s a login, and the peer gives up.
const resolver = library(LIBC, {
  setenv: { args: ["ptr", "ptr", "i32"], returns: "i32" },
  __res_init: { args: [], returns: "i32" },
});
const RES_OPTIONS = cstring("RES_OPTIONS");
const HURRY = cstring("timeout:2 attempts:1");

type Libpam = NonNullable<ReturnType<typeof libpam>>;
type Libc = NonNullable<ReturnType<typeof libc>>;

const SERVICE = "ppp";

const SUCCESS = 0;
const BUF_ERR = 5;
const USER_UNKNOWN = 10;
const CONV_ERR = 19;

const Item = { TTY: 3, RHOST: 4, FAIL_DELAY: 10 } as const;
const Style = { PROMPT_ECHO_OFF: 1, PROMPT_ECHO_ON: 2, ERROR_MSG: 3, TEXT_INFO: 4 } as const;
const SILENT = 0x8000;
const MAX_MESSAGES = 32;
/** struct pam_response: the address of the text, and an unused int. */
const RESPONSE_SIZE = 16;

/** pppd numbers its attempts in the debug log: 1 is the password, 2 the account and the session. */
const AUTHENTICATE = 1;
const ACCOUNT = 2;

// Modules may close and reopen the log. Before each call into PAM we set pppd's name again, so that pam_unix logs
// "pppd[1234]: pam_unix(ppp:auth): …". syslog(3) keeps the address of the name.
const IDENT = cstring("pppd");
const LOG_PID = 1;
const LOG_DAEMON = 3 << 3;

export interface PamRequest {
  /** The user name, one char a byte, without NUL. Of "DOMAIN\name", PAM gets only the name. */
  readonly user: string;
  /**
   * The password, without NUL. Undefined when the peer is authenticated already and PAM checks only account and
   * session.
   */
  readonly password: Uint8Array | undefined;
  /** "/dev/ttyS1" */
  readonly tty: string;
  /** "ppp0" */
  readonly ifname: string;
}

export interface PamSession {
  /** Closes the session and ends PAM. Call it once. */
  close(): void;
}

export type PamResult =
  | { ok: true; message: string; session: PamSession }
  /** `delayMs`: how long PAM wants the answer held back. */
  | { ok: false; message: string; delayMs: number };

/** True if the system has PAM. */
export function havePam(): boolean {
  return libpam() !== undefined && libc() !== undefined;
}

/** Asks PAM and opens the session. Debug lines and messages are pppd's. Call it only if {@link havePam}. */
export function pamLogin(request: PamRequest, log: (level: LogLevel, text: string) => void): PamResult {
  const pam = libpam();
  const system = libc();
  if (pam === undefined || system === undefined) throw new Error("pamLogin: no PAM on this system");
  const { user, password } = request;
  const account = user.slice(user.indexOf("\\") + 1);
  const checks = password === undefined ? ACCOUNT : AUTHENTICATE | ACCOUNT;

  log("debug", `Initializing PAM (${checks}) for user ${account}`);
  system.openlog(IDENT.address, LOG_PID, LOG_DAEMON);
  hurryResolver();
  const conversation = new Conversation(system, account, password);
  const [handle, started] = start(pam, conversation);
  log("debug", `---> PAM INIT Result = ${started}`);

  const refuse = (error: number, message = pamText(pam, handle, error)): PamResult => {
    if (handle !== null) pam.pam_end(handle, error);
    conversation.close();
    return { ok: false, message, delayMs: conversation.delayMs };
  };

  // In this case pppd tells the peer "Session started successfully" and still refuses it.
  if (handle === null || started !== SUCCESS) return refuse(started);
  const close = (opened: boolean): void => {
    system.openlog(IDENT.address, LOG_PID, LOG_DAEMON);
    pam.pam_end(handle, opened ? pam.pam_close_session(handle, SILENT) : SUCCESS);
    conversation.close();
  };
  let error = setItems(pam, handle, request, conversation);
  if (error !== SUCCESS) return refuse(error);

  if (password !== undefined) {
    error = authenticate(pam, handle, user, log);
    conversation.forget();
    if (error === USER_UNKNOWN) return refuse(error, "User unknown - cannot authenticate via PAM");
    if (error !== SUCCESS) return refuse(error);
  }

  log("debug", "Attempting PAM account checks");
  error = pam.pam_acct_mgmt(handle, SILENT);
  if (error === USER_UNKNOWN) {
    // The peer was authenticated by other means (secrets file, RADIUS). It needs no system account, and gets no session
    // without one.
    log("debug", "User unknown, ignoring PAM restrictions");
    return { ok: true, message: "User unknown - ignoring PAM restrictions", session: { close: () => close(false) } };
  }
  if (error !== SUCCESS) {
    log("debug", `PAM Account checks failed: ${error}: ${pamText(pam, handle, error)}`);
    return refuse(error);
  }
  log("debug", `PAM Account OK for ${user}`);

  error = pam.pam_open_session(handle, SILENT);
  if (error !== SUCCESS) {
    log("debug", `PAM Session denied for user ${user}`);
    return refuse(error);
  }
  log("debug", `PAM Session opened for user ${user}`);
  return { ok: true, message: "Session started successfully", session: { close: () => close(true) } };
}

/** Checks the password. Returns PAM's error number. */
function authenticate(
  pam: Libpam,
  handle: Pointer,
  user: string,
  log: (level: LogLevel, text: string) => void,
): number {
  log("debug", "Attempting PAM authentication");
  const error = pam.pam_authenticate(handle, SILENT);
  if (error === USER_UNKNOWN) log("debug", "User unknown, failing PAM authentication");
  else if (error !== SUCCESS) log("debug", `PAM Authentication failed: ${error}: ${pamText(pam, handle, error)}`);
  else log("debug", `PAM Authentication OK for ${user}`);
  return error;
}

/** Answers the questions of PAM's modules and receives the delay that they request after a failure. */
class Conversation {
  /** struct pam_conv. */
  readonly record = new Memory(16);
  readonly delay: JSCallback;
  delayMs = 0;
  readonly #system: Libc;
  readonly #answer: JSCallback;
  readonly #user: Memory;
  readonly #password: Memory | undefined;

  constructor(system: Libc, user: string, password: Uint8Array | undefined) {
    this.#system = system;
    this.#user = terminated(bytesOf(user));
    this.#password = password && terminated(password);
    this.#answer = new JSCallback(
      (count: number, messages: Pointer, responses: Pointer) => this.#converse(count, messages, responses),
      { args: ["i32", "ptr", "ptr", "ptr"], returns: "i32" },
    );
    this.delay = new JSCallback(
      (status: number, microseconds: number) => {
        if (status !== SUCCESS) this.delayMs = Math.ceil(microseconds / 1000);
      },
      { args: ["i32", "u32", "ptr"], returns: "void" },
    );
    this.record.view.setBigUint64(0, BigInt(this.#answer.ptr ?? 0), true);
  }

  get user(): Pointer {
    return this.#user.address;
  }

  /** Erases the password from memory once PAM has asked for it. */
  forget(): void {
    this.#password?.bytes.fill(0);
  }

  close(): void {
    this.forget();
    this.#answer.close();
    this.delay.close();
  }

  #converse(count: number, messages: Pointer, responses: Pointer): number {
    if (count <= 0 || count > MAX_MESSAGES) return CONV_ERR;
    const styles = Array.from({ length: count }, (_, at) => read.i32(read.ptr(messages, at * 8) as Pointer, 0));
    if (styles.some((style) => style < Style.PROMPT_ECHO_OFF || style > Style.TEXT_INFO)) return CONV_ERR;
    const block = this.#system.calloc(count, RESPONSE_SIZE) as Pointer | null;
    if (block === null) return BUF_ERR;
    const answers = new Memory(count * RESPONSE_SIZE);
    styles.forEach((style, at) => {
      const text = this.#replyTo(style);
      if (text !== undefined) {
        answers.view.setBigUint64(at * RESPONSE_SIZE, BigInt(this.#system.strdup(text.address) ?? 0), true);
      }
    });
    this.#system.memcpy(block, answers.address, count * RESPONSE_SIZE);
    const place = new Memory(8);
    place.view.setBigUint64(0, BigInt(block), true);
    this.#system.memcpy(responses, place.address, 8);
    return SUCCESS;
  }

  /** Answers a question with echo as "login:" and one without echo as "Password:". Remarks get no answer. */
  #replyTo(style: number): Memory | undefined {
    if (style === Style.PROMPT_ECHO_ON) return this.#user;
    return style === Style.PROMPT_ECHO_OFF ? this.#password : undefined;
  }
}

/** Shortens the resolver's timeout, unless RES_OPTIONS is set. musl has no such setting. */
function hurryResolver(): void {
  resolver()?.setenv(RES_OPTIONS.address, HURRY.address, 0);
  resolver()?.__res_init();
}

function start(pam: Libpam, conversation: Conversation): [handle: Pointer | null, result: number] {
  const service = cstring(SERVICE);
  const place = new Memory(8);
  const result = pam.pam_start(service.address, conversation.user, conversation.record.address, place.address);
  const handle = Number(place.view.getBigUint64(0, true));
  return [handle === 0 ? null : (handle as Pointer), result];
}

function setItems(pam: Libpam, handle: Pointer, request: PamRequest, conversation: Conversation): number {
  const tty = cstring(request.tty);
  const rhost = cstring(request.ifname);
  return (
    pam.pam_set_item(handle, Item.TTY, tty.address) ||
    pam.pam_set_item(handle, Item.RHOST, rhost.address) ||
    pam.pam_set_item(handle, Item.FAIL_DELAY, conversation.delay.ptr)
  );
}

function pamText(pam: Libpam, handle: Pointer | null, error: number): string {
  return String(pam.pam_strerror(handle, error));
}
