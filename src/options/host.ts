// What the option parser must know of the machine: plain synchronous functions. run/optionhost.ts is the real one.

import type { BpfInstruction } from "../filter/bpf.ts";

/** A file's text, one char a byte, and what the rules on safe files look at. */
export interface FileText {
  readonly text: string;
  readonly uid: number;
  readonly mode: number;
}

/** A call that failed: errno's name ("ENOENT") and strerror(3)'s text. */
export interface Failure {
  readonly errno: string;
  readonly reason: string;
}

export function isFailure(result: object | number): result is Failure {
  return typeof result === "object" && "errno" in result;
}

/** Whose rights a file is opened with: ours, or those of the user who ran us. */
export type As = "root" | "user";

export interface OptionHost {
  /** The folder of configuration files, "/etc/ppp". */
  readonly etc: string;
  /** The real user. */
  readonly uid: number;
  /** The real user is root, or may make network interfaces all the same (CAP_NET_ADMIN). */
  readonly privileged: boolean;
  /** The real user's home in the password file. */
  readonly home: string | undefined;
  readonly hostname: string;
  /** The tty on standard input, and whether it is open for reading and writing. */
  readonly stdin: {
    readonly tty: string | undefined;
    readonly device: number | undefined;
    readonly readWrite: boolean;
  };

  readFile(path: string, as: As): FileText | Failure;
  /** Opens a log file for appending and returns its descriptor. */
  openLogfile(path: string, as: As): number | Failure;
  /** The device number when the path is a character device, undefined when it is something else. */
  statDevice(path: string): { readonly device: number | undefined } | Failure;
  /** The device number of an open descriptor that is a character device. */
  deviceOfFd(fd: number): number | undefined;
  /** gethostbyname(3): the first IPv4 address, as uint32. */
  resolveHost(name: string): number | undefined;
  /** getnetbyname(3): the network's number with the host part zero, as uint32. */
  resolveNetwork(name: string): number | undefined;
  /** Is the user in this supplementary group; undefined: no such group. */
  inGroup(name: string): boolean | undefined;
  /** Is there a default route already? Then an ordinary user's peer must authenticate. */
  hasDefaultRoute(): boolean;
  /** The BPF program for a filter expression (`netmask` as uint32); ENOENT: nobody here can compile one. */
  compileFilter(expression: string, netmask: number): readonly BpfInstruction[] | Failure;
  /** The hardware address of a network interface. */
  hardwareAddress(interfaceName: string): Uint8Array | undefined;
  /** The serial ports there are, path and description, for the message about one that is missing. */
  serialPorts(): string[];
  /** An information in the log. */
  inform(text: string): void;
  /** A warning in the log. */
  warn(text: string): void;
  /** A line like an option error's, on stderr after "pppd: " and to syslog, that does not end the program. */
  complain(text: string): void;
}
