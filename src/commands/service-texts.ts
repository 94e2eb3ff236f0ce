// What makes an init or cron keep a pppd on a line: the texts, with each one's own quoting. Under an init it is the init
// that starts pppd again, under cron pppd itself (persist).

import { basename } from "node:path";

export const KINDS = ["inittab", "systemd", "openrc", "cron"] as const;
export type Kind = (typeof KINDS)[number];

export interface Wanted {
  /** Undefined: the options say which, as `call NAME` does; or, for systemd, a template for any. */
  readonly device: string | undefined;
  readonly options: readonly string[];
}

/** What of the machine the texts depend on. */
export interface Place {
  /** "/usr/local/sbin/pppd" */
  readonly pppd: string;
  /** Whose inittab: busybox has a terminal where others have an id, and no runlevels. */
  readonly busyboxInit: boolean;
  /** /etc/cron.d, whose lines name a user; else /etc/crontabs/root, whose lines do not. */
  readonly cronFolder: boolean;
}

/** What the process field of sysvinit's inittab holds. */
const SYSVINIT_ROOM = 127;

/**
 * The text for one of them. A line "# PATH" near its beginning says which file it is, or goes into.
 * Throws RangeError when that file cannot say it.
 */
export function serviceText(kind: Kind, wanted: Wanted, place: Place): string {
  const unspeakable = [place.pppd, wanted.device ?? "", ...wanted.options].find((word) => /[\0-\x1f\x7f]/.test(word));
  if (unspeakable !== undefined) {
    throw new RangeError(`${JSON.stringify(unspeakable)} has a character that no ${kind} line can have`);
  }
  switch (kind) {
    case "inittab":
      return inittab(wanted, place);
    case "systemd":
      return wanted.device === undefined && calledName(wanted.options) === undefined
        ? systemdTemplate(wanted, place)
        : systemdUnit(wanted, place);
    case "openrc":
      return openrc(wanted, place);
    case "cron":
      return cron(wanted, place);
    default:
      return kind satisfies never;
  }
}

function inittab(wanted: Wanted, place: Place): string {
  const line = shellWords(place, wanted, foreground(wanted));
  if (place.busyboxInit) return lines("# /etc/inittab; then: kill -HUP 1", ...hints(wanted), `::respawn:${line}`);
  if (line.length > SYSVINIT_ROOM) {
    throw new RangeError(
      `sysvinit takes ${SYSVINIT_ROOM} characters and this line has ${line.length}: ` +
        "put the options into a file in /etc/ppp/peers and say `call NAME`",
    );
  }
  // MAXSPAWN, TESTTIME and INITSLEEP in its init.c.
  const patience = wanted.options.includes("persist")
    ? []
    : [
        "# What ends ten times in two minutes rests for five: for a line that is often pulled out, add persist maxfail 0.",
      ];
  const id = `pd${title(wanted).slice(-2)}`;
  return lines("# /etc/inittab; then: init q", ...hints(wanted), ...patience, `${id}:2345:respawn:${line}`);
}

function systemdUnit(wanted: Wanted, place: Place): string {
  const { device } = wanted;
  const name = serviceName(wanted);
  const unit = device === undefined ? undefined : `${systemdEscape(device)}.device`;
  return lines(
    `# /etc/systemd/system/${name}.service`,
    `# systemctl daemon-reload && systemctl enable --now ${name}`,
    ...hints(wanted),
    ...unitBody(device ?? title(wanted), unit, systemdWords(place, wanted, foreground(wanted))),
  );
}

/** For nullmodem@ttyS1.service and its like; %I is what stands behind the @, its escapes undone. */
function systemdTemplate(wanted: Wanted, place: Place): string {
  const words = [systemdWord(place.pppd), "/dev/%I", ...foreground(wanted).map(systemdWord)];
  return lines(
    "# /etc/systemd/system/nullmodem@.service",
    "# systemctl daemon-reload && systemctl enable --now nullmodem@ttyS1",
    "# for a USB adapter: nullmodem@$(systemd-escape serial/by-id/usb-WHATEVER)",
    ...unitBody("/dev/%I", "dev-%i.device", words.join(" ")),
  );
}

/** `device` is the unit of the line: pppd comes and goes with it, as a USB adapter is plugged in and out. */
function unitBody(what: string, device: string | undefined, command: string): string[] {
  return [
    "[Unit]",
    `Description=PPP on ${what}`,
    "After=local-fs.target systemd-sysctl.service",
    ...(device === undefined ? [] : [`After=${device}`, `BindsTo=${device}`]),
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "# Started is it when the line is open, or waited for; `systemctl status` says what it is at.",
    "Type=notify",
    `ExecStart=${command}`,
    "Restart=always",
    "RestartSec=1",
    "# Ended because it was told to.",
    "SuccessExitStatus=5",
    "# SIGTERM is for pppd alone: it ends its scripts itself.",
    "KillMode=mixed",
    "# When memory runs out, something else goes first.",
    "OOMScoreAdjust=-500",
    "# Hung: killed, and started again.",
    "WatchdogSec=120",
    "StandardOutput=journal",
    "StandardError=inherit",
    "# For plog, and rules that go by it.",
    "SyslogFacility=local2",
    "",
    "[Install]",
    `WantedBy=${device ?? "multi-user.target"}`,
  ];
}

function openrc(wanted: Wanted, place: Place): string {
  const name = serviceName(wanted);
  return lines(
    "#!/sbin/openrc-run",
    `# /etc/init.d/${name}`,
    `# chmod 755 /etc/init.d/${name} && rc-update add ${name} default && rc-service ${name} start`,
    ...hints(wanted),
    `description=${shellWord(`PPP on ${wanted.device ?? title(wanted)}`)}`,
    "supervisor=supervise-daemon",
    `command=${shellWord(place.pppd)}`,
    // It is evaluated once more where it is used.
    `command_args=${shellWord([...line(wanted), ...foreground(wanted)].map(shellWord).join(" "))}`,
    "respawn_delay=1",
    "respawn_max=0",
    "",
    "depend() {",
    "\tneed localmount",
    "\tuse logger",
    "\tafter bootmisc modules dev",
    "}",
  );
}

function cron(wanted: Wanted, place: Place): string {
  const { options } = wanted;
  const words = [
    ...options,
    ...(options.includes("persist") ? [] : ["persist"]),
    ...(options.includes("maxfail") ? [] : ["maxfail", "0"]),
  ];
  // cron would make a new line of a percent sign.
  const command = shellWords(place, wanted, words).replaceAll("%", "\\%");
  return place.cronFolder
    ? lines(`# /etc/cron.d/${serviceName(wanted)}`, ...hints(wanted), `@reboot root ${command}`)
    : lines("# /etc/crontabs/root", ...hints(wanted), `@reboot ${command}`);
}

const lines = (...all: readonly string[]): string => all.map((one) => `${one}\n`).join("");
const line = ({ device }: Wanted): string[] => (device === undefined ? [] : [device]);

/** The options of a pppd that somebody else keeps running. */
function foreground({ options }: Wanted): string[] {
  const words: readonly string[] = ["nodetach", "-detach", "up_sdnotify"];
  return options.some((word) => words.includes(word)) ? [...options] : [...options, "nodetach"];
}

function hints({ device = "" }: Wanted): string[] {
  if (!/\/tty(USB|ACM)\d/.test(device)) return [];
  return [
    `# Plugged in again, the adapter may not be ${device} any more: its name in /dev/serial/by-id stays.`,
    "# With persist, pppd waits for it and follows it.",
  ];
}

function calledName(options: readonly string[]): string | undefined {
  const at = options.indexOf("call");
  return at < 0 ? undefined : options[at + 1];
}

/** "ttyS1", or the name of the peers file. */
function title({ device, options }: Wanted): string {
  return device === undefined ? (calledName(options) ?? "line") : basename(device);
}

/** A file name that cron takes too: letters, digits, hyphens and underscores. */
function serviceName(wanted: Wanted): string {
  return `nullmodem-${title(wanted).replace(/[^A-Za-z0-9_-]/g, "-")}`;
}

function shellWords(place: Place, wanted: Wanted, options: readonly string[]): string {
  return [place.pppd, ...line(wanted), ...options].map(shellWord).join(" ");
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function systemdWords(place: Place, wanted: Wanted, options: readonly string[]): string {
  return [place.pppd, ...line(wanted), ...options].map(systemdWord).join(" ");
}

function systemdWord(word: string): string {
  const literal = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w@%+=:,./$-]+$/.test(literal) ? literal : `"${literal.replace(/["\\]/g, "\\$&")}"`;
}

/** The name of a path's unit: systemd-escape --path. */
function systemdEscape(path: string): string {
  const bytes = Buffer.from(path.replace(/^\/+|\/+$/g, "").replace(/\/+/g, "/"));
  return [...bytes]
    .map((byte, at) => {
      const char = String.fromCharCode(byte);
      if (char === "/") return "-";
      if (/[A-Za-z0-9:_]/.test(char) || (char === "." && at > 0)) return char;
      return `\\x${byte.toString(16).padStart(2, "0")}`;
    })
    .join("");
}
