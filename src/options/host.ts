// What the option parser asks of the machine, as plain synchronous functions. applets/option-host.ts is the real one.

import type { BpfInstruction } from "../filter/bpf.ts";

/** The text of a file, one char a byte, and the facts for the rules on safe files. */
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

/** The rights to open a file with: ours, or those of the user who started the program. */
export type As = "root" | "user";

export interface OptionHost {
  /** The folder of configuration files, "/etc/ppp". */
  readonly etc: string;
  /** The real user. */
  readonly uid: number;
  /** The real user is root, or may make network interfaces without being root (CAP_NET_ADMIN). */
  readonly privileged: boolean;
  /** The process may do more than the real user: it is set-user-id, for example. */
  readonly lendsRights: boolean;
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
  /** The device number of a character device. Undefined when the path is something else. */
  statDevice(path: string): { readonly device: number | undefined } | Failure;
  /** The path is a folder, or a link to one. */
  isFolder(path: string): boolean;
  /** The device number of an open descriptor that is a character device. */
  deviceOfFd(fd: number): number | undefined;
  /** gethostbyname(3): the first IPv4 address, as uint32. */
  resolveHost(name: string): number | undefined;
  /** getnetbyname(3): the network's number with the host part zero, as uint32. */
  resolveNetwork(name: string): number | undefined;
  /** True when the user is in this supplementary group. Undefined: there is no such group. */
  inGroup(name: string): boolean | undefined;
  /** True when there is a default route already. The peer of an ordinary user must then authenticate itself. */
  hasDefaultRoute(): boolean;
  /** The BPF program for a filter expression (`netmask` is a uint32). ENOENT: no compiler is installed. */
  compileFilter(expression: string, netmask: number): readonly BpfInstruction[] | Failure;
  /** Where a program of the system is. Undefined: it is not there. */
  findTool(name: string): string | undefined;
  /** The hardware address of a network interface. */
  hardwareAddress(interfaceName: string): Uint8Array | undefined;
  /** The serial ports of this machine with their descriptions, for the message about a missing one. */
  serialPorts(): string[];
  /** Logs information. */
  inform(text: string): void;
  /** Logs a warning. */
  warn(text: string): void;
  /** Prints a line like that of an option error, on stderr after "pppd: " and in syslog. The program continues. */
  complain(text: string): void;
}
