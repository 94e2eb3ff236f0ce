// PAM, as pppd uses it for `login` and `enable-session`: service "ppp", one handle from the first check to the logout.
//
// It runs in this process, not in a child: session modules act on the process that opens the session (limits, cgroup,
// login uid, key ring), that process must live until the session is closed, and its pid stands in PAM's syslog lines.
// What would stall the link is the delay after a failure (some two seconds): PAM hands it to us instead of sleeping, and
// we hand it to the caller, who holds the answer back while the link goes on. A module that itself waits for a distant
// server does stall us, as it stalls pppd; nothing but the authentication is going on then.
//
// PAM calls back on our own thread, inside the call that we are in. Its modules may fork helpers (unix_chkpwd,
// pam_exec) and wait for them by pid, which Bun leaves alone: it watches only the children that it started.

import { JSCallback, type Pointer, read } from "bun:ffi";
import { bytesOf } from "../../bytes/text.ts";
import { cstring, Memory } from "../ffi/libc.ts";
import { LIBC, library, terminated } from "../ffi/library.ts";
import type { LogLevel } from "../log/log.ts";

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

// Linux-PAM reports every step to the kernel's audit, and libaudit takes our interface for a host and asks the name
// servers for it. With one that does not answer, that is 10 s a step and 30 s a login: as long as a peer has patience.
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
/** struct pam_response: the text's address, and an int nobody uses. */
const RESPONSE_SIZE = 16;

/** What pppd's debug line counts: 1 the password, 2 the account and the session. */
const AUTHENTICATE = 1;
const ACCOUNT = 2;

// Modules close and reopen the log as they like. Before each of our turns it is made pppd's, so that the lines of
// pam_unix read "pppd[1234]: pam_unix(ppp:auth): …". syslog(3) keeps the address of the name.
const IDENT = cstring("pppd");
const LOG_PID = 1;
const LOG_DAEMON = 3 << 3;

export interface PamRequest {
  /** One char a byte, without NUL. In "DOMAIN\name" only the name is PAM's user. */
  readonly user: string;
  /** Without NUL. Undefined: the peer is authenticated already; only the account and the session are PAM's. */
  readonly password: Uint8Array | undefined;
  /** "/dev/ttyS1" */
  readonly tty: string;
  /** "ppp0" */
  readonly ifname: string;
}

export interface PamSession {
  /** Closes it and lets go of PAM. Once. */
  close(): void;
}

export type PamResult =
  | { ok: true; message: string; session: PamSession }
  /** `delayMs`: PAM wants the answer held back that long. */
  | { ok: false; message: string; delayMs: number };

/** False where the system has no PAM. */
export function havePam(): boolean {
  return libpam() !== undefined && libc() !== undefined;
}

/** Asks PAM and opens the session. The debug lines and the messages are pppd's. Only where {@link havePam}. */
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

  // pppd tells the peer "Session started successfully" here, and refuses it all the same.
  if (handle === null || started !== SUCCESS) return refuse(started);
  const session = (opened: boolean): PamSession => ({
    close() {
      system.openlog(IDENT.address, LOG_PID, LOG_DAEMON);
      pam.pam_end(handle, opened ? pam.pam_close_session(handle, SILENT) : SUCCESS);
      conversation.close();
    },
  });
  let error = setItems(pam, handle, request, conversation);
  if (error !== SUCCESS) return refuse(error);

  if (password !== undefined) {
    log("debug", "Attempting PAM authentication");
    error = pam.pam_authenticate(handle, SILENT);
    conversation.forget();
    if (error === USER_UNKNOWN) {
      log("debug", "User unknown, failing PAM authentication");
      return refuse(error, "User unknown - cannot authenticate via PAM");
    }
    if (error !== SUCCESS) {
      log("debug", `PAM Authentication failed: ${error}: ${pamText(pam, handle, error)}`);
      return refuse(error);
    }
    log("debug", `PAM Authentication OK for ${user}`);
  }

  log("debug", "Attempting PAM account checks");
  error = pam.pam_acct_mgmt(handle, SILENT);
  if (error === USER_UNKNOWN) {
    // Somebody else vouched for this peer (the secrets file, RADIUS): no account here means no session, no more.
    log("debug", "User unknown, ignoring PAM restrictions");
    return { ok: true, message: "User unknown - ignoring PAM restrictions", session: session(false) };
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
  return { ok: true, message: "Session started successfully", session: session(true) };
}

/** Answers the questions PAM's modules have for the user, and takes the delay they ask for after a failure. */
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

  /** The password has been asked for: nothing may find it in our memory later. */
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

  /** A question is taken for "login:" when its answer may be seen, for "Password:" when not; remarks get no answer. */
  #replyTo(style: number): Memory | undefined {
    if (style === Style.PROMPT_ECHO_ON) return this.#user;
    return style === Style.PROMPT_ECHO_OFF ? this.#password : undefined;
  }
}

/** Whoever has set RES_OPTIONS knows better. musl has no such thing. */
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
