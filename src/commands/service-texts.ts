// Texts that make an init or cron keep a pppd running on a line, each with its own quoting. Under an init, the init
// restarts pppd. Under cron, pppd restarts the link itself (persist).

import { shellWord } from "../bytes/shell-word.ts";
import { basename } from "node:path";

export const KINDS = ["inittab", "systemd", "openrc", "cron"] as const;
export type Kind = (typeof KINDS)[number];

export interface Wanted {
  /**
   * Undefined: the options name the device, as `call NAME` does. For systemd it can also mean a template for any
   * device.
   */
  readonly device: string | undefined;
  readonly options: readonly string[];
  /** `nullmodem serve` in place of pppd: the options are its words. */
  readonly serves?: boolean;
}

/** The properties of the machine that the texts depend on. */
export interface Place {
  /** "/usr/local/sbin/pppd" */
  readonly pppd: string;
  /** True for busybox's inittab, which has a terminal in place of the id and no runlevels. */
  readonly busyboxInit: boolean;
  /** True for /etc/cron.d, whose lines name a user. Otherwise /etc/crontabs/root, whose lines do not. */
  readonly cronFolder: boolean;
}

/** The longest process field in sysvinit's inittab. */
const SYSVINIT_ROOM = 127;

/**
 * The text for one kind. A line "# PATH" near its beginning names its file. Throws RangeError when that file cannot
 * express the options.
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
      return wanted.device === undefined && calledName(wanted.options) === undefined && wanted.serves !== true
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
  // These numbers are MAXSPAWN, TESTTIME and INITSLEEP of its init.c.
  const patience =
    wanted.serves === true || wanted.options.includes("persist")
      ? []
      : [
          "# init pauses an entry for five minutes after ten exits in two. If the line is often unplugged, add persist maxfail 0.",
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

/** The unit for instances such as nullmodem@ttyS1.service. %I is the unescaped text behind the @. */
function systemdTemplate(wanted: Wanted, place: Place): string {
  const words = [systemdWord(place.pppd), "/dev/%I", ...foreground(wanted).map(systemdWord)];
  return lines(
    "# /etc/systemd/system/nullmodem@.service",
    "# systemctl daemon-reload && systemctl enable --now nullmodem@ttyS1",
    "# for a USB adapter: nullmodem@$(systemd-escape serial/by-id/usb-WHATEVER)",
    ...unitBody("/dev/%I", "dev-%i.device", words.join(" ")),
  );
}

/** `device` is the device unit of the line. pppd starts and stops with it when a USB adapter is plugged in and out. */
function unitBody(what: string, device: string | undefined, command: string): string[] {
  return [
    "[Unit]",
    `Description=PPP on ${what}`,
    "After=local-fs.target systemd-sysctl.service",
    ...(device === undefined ? [] : [`After=${device}`, `BindsTo=${device}`]),
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    "# The service has started when its line is open or awaited. `systemctl status` shows the present state.",
    "Type=notify",
    `ExecStart=${command}`,
    "Restart=always",
    "RestartSec=1",
    "# 5: stopped by a signal, on request.",
    "SuccessExitStatus=5",
    "# Send SIGTERM to pppd alone. It ends its scripts itself.",
    "KillMode=mixed",
    "# When memory runs out, the kernel kills other processes first.",
    "OOMScoreAdjust=-500",
    "# Kill and restart pppd when it hangs.",
    "WatchdogSec=120",
    "StandardOutput=journal",
    "StandardError=inherit",
    "# For plog and rsyslog rules that select pppd's facility.",
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
    `command=${shellWord(program(place, wanted)[0]!)}`,
    // OpenRC evaluates the value once more when it uses it.
    `command_args=${shellWord([...program(place, wanted).slice(1), ...line(wanted), ...foreground(wanted)].map(shellWord).join(" "))}`,
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
  const { options, serves } = wanted;
  // Nothing starts pppd again.
  const words =
    serves === true
      ? options
      : [
          ...options,
          ...(options.includes("persist") ? [] : ["persist"]),
          ...(options.includes("maxfail") ? [] : ["maxfail", "0"]),
        ];
  // cron turns an unescaped percent sign into a newline.
  const command = shellWords(place, wanted, words).replaceAll("%", "\\%");
  return place.cronFolder
    ? lines(`# /etc/cron.d/${serviceName(wanted)}`, ...hints(wanted), `@reboot root ${command}`)
    : lines("# /etc/crontabs/root", ...hints(wanted), `@reboot ${command}`);
}

const lines = (...all: readonly string[]): string => all.map((one) => `${one}\n`).join("");
const line = ({ device }: Wanted): string[] => (device === undefined ? [] : [device]);

/** The options of a pppd that a service manager keeps running. */
function foreground({ options, serves }: Wanted): string[] {
  if (serves === true) return [...options];
  const words: readonly string[] = ["nodetach", "-detach", "up_sdnotify"];
  return options.some((word) => words.includes(word)) ? [...options] : [...options, "nodetach"];
}

function hints({ device = "" }: Wanted): string[] {
  if (!/\/tty(USB|ACM)\d/.test(device)) return [];
  return [
    `# The adapter may not be ${device} when it is plugged in again. Its name in /dev/serial/by-id stays the same.`,
    "# With persist, pppd waits for the adapter and finds its new name.",
  ];
}

/** What is started, and its first word. */
function program({ pppd }: Place, { serves }: Wanted): string[] {
  return serves === true ? [pppd.replace(/[^/]*$/, "nullmodem"), "serve"] : [pppd];
}

function calledName(options: readonly string[]): string | undefined {
  const at = options.indexOf("call");
  return at < 0 ? undefined : options[at + 1];
}

/** "ttyS1", or the name of the peers file. */
function title({ device, options, serves }: Wanted): string {
  if (serves === true) return "serve";
  return device === undefined ? (calledName(options) ?? "line") : basename(device);
}

/** A file name that cron accepts as well: letters, digits, hyphens and underscores. */
function serviceName(wanted: Wanted): string {
  return `nullmodem-${title(wanted).replace(/[^A-Za-z0-9_-]/g, "-")}`;
}

function shellWords(place: Place, wanted: Wanted, options: readonly string[]): string {
  return [...program(place, wanted), ...line(wanted), ...options].map(shellWord).join(" ");
}

function systemdWords(place: Place, wanted: Wanted, options: readonly string[]): string {
  return [...program(place, wanted), ...line(wanted), ...options].map(systemdWord).join(" ");
}

function systemdWord(word: string): string {
  const literal = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w@%+=:,./$-]+$/.test(literal) ? literal : `"${literal.replace(/["\\]/g, "\\$&")}"`;
}

/** The unit name of a path, as systemd-escape --path makes it. */
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
