// Options of the line: its device, its speed, its wires, its commands.

import { decoded } from "../../bytes/text.ts";
import { OptionError } from "../error.ts";
import { isFailure, type OptionHost } from "../host.ts";
import { scanNumber } from "../numbers.ts";
import { quoted } from "../quoted.ts";
import { COMMAND, DEVICE, GROUP, INIT_ONLY, list, oneOf, PRIORITY, PRIVFIX, PRIVILEGED, row, unset } from "../row.ts";
import { alias, flag, number, sets, text } from "../row-kinds.ts";
import { parseSocketAddress } from "../socket-address.ts";
import { checkLimits, wholeNumber } from "../whole-number.ts";
import { asyncmap } from "./lcp-rows.ts";

/** A word that does not begin with a slash names a device in /dev. */
function devicePath(word: string): string {
  const path = decoded(word);
  return path.startsWith("/") ? path : `/dev/${path}`;
}

/** True for a character device. Errors other than a missing file count too, so that the message can name the error. */
function isDevice(word: string, host: OptionHost): boolean {
  if (word === "") return false;
  const found = host.statDevice(devicePath(word));
  return isFailure(found) ? found.errno !== "ENOENT" : found.device !== undefined;
}

const deviceName = row({
  name: "device name",
  rules: PRIVFIX | INIT_ONLY | DEVICE,
  about: "the serial port: a path, or a name in /dev",
  argument: false,
  takes: isDevice,
  fields: {
    /** Full path. Undefined with pty, notty, socket or socket-listen. */
    device: unset<string>(),
    /** No device was named, or the one on standard input: stay in the foreground, and do not change DTR. */
    defaultDevice: true,
    /** Open the device as root: a privileged source named it, or standard input has it open in both directions. */
    devicePrivileged: false,
  },
  set({ draft, host, privileged }, word) {
    const path = devicePath(word);
    const found = host.statDevice(path);
    // The device may not exist yet. The caller knows whether to wait for it.
    if (isFailure(found) && found.errno !== "ENOENT") throw new OptionError(`Couldn't stat ${path}: ${found.reason}`);
    draft.device = path;
    draft.defaultDevice = false;
    draft.devicePrivileged = privileged;
  },
  value: ({ device }) => quoted(device ?? ""),
});

/** Ten times the speed of the fastest UARTs. A higher number is a typing error or a telephone number. */
const FASTEST = 200_000_000;

const ttySpeed = row({
  name: "tty speed",
  rules: PRIORITY,
  about: "the speed in bits per second",
  argument: false,
  takes(word) {
    const number = scanNumber(word);
    return number !== undefined && number.end === word.length && number.value !== 0;
  },
  fields: {
    /** Bits per second. 0: keep the port's speed. */
    speed: 0,
  },
  set({ draft }, word) {
    const speed = scanNumber(word)?.value ?? 0;
    if (speed > FASTEST) throw new OptionError(`speed ${decoded(word)} not supported`);
    draft.speed = speed;
  },
  value: ({ speed }) => String(speed),
});

const stopBits = row({
  name: "stop-bits",
  rules: PRIORITY | PRIVFIX,
  about: "stop bits of a character: 1 or 2",
  fields: { stopBits: oneOf<1 | 2>(1) },
  set({ draft }, word) {
    const value = wholeNumber("stop-bits", word);
    checkLimits("stop-bits", value, { min: 1, max: 2 });
    draft.stopBits = value === 2 ? 2 : 1;
  },
  value: (fields) => String(fields.stopBits),
});

const escape = row({
  name: "escape",
  about: "further octets to escape, in hex",
  fields: {
    /** In ascending order. */
    escape: list<number>(),
  },
  /** Numbers in hex, separated by commas. Those before a wrong one count. */
  set({ draft }, argument) {
    const refused: string[] = [];
    const chars = new Set(draft.escape);
    for (let at = 0; at < argument.length;) {
      const code = scanNumber(argument, 16, at);
      if (code === undefined) {
        refused.push(`escape parameter contains invalid hex number '${decoded(argument.slice(at))}'`);
        break;
      }
      if (code.value < 0 || code.value === 0x5e || code.value > 0xff) {
        refused.push(`can't escape character 0x${(code.value >>> 0).toString(16)}`);
      } else {
        chars.add(code.value);
      }
      at = code.end;
      while (argument[at] === "," || argument[at] === " ") at++;
    }
    draft.escape = [...chars].sort((a, b) => a - b);
    if (refused.length > 0) throw new OptionError(refused);
  },
  value: ({ escape }) =>
    escape.length === 0 ? "oops # nothing escaped" : escape.map((char) => char.toString(16)).join(","),
});

const socketListen = row({
  name: "socket-listen",
  rules: PRIORITY | INIT_ONLY | DEVICE,
  about: "wait for a TCP connection to use as the line: [address:]port",
  fields: { socketListen: unset<string>() },
  set({ draft }, word) {
    const where = decoded(word);
    if ((parseSocketAddress(where)?.port ?? 0) === 0)
      throw new OptionError(`socket-listen takes a port, or an address and a port (10.0.0.1:5000), not '${where}'`);
    draft.socketListen = where;
  },
  value: (fields) => quoted(fields.socketListen ?? ""),
});

const crtscts = sets(
  "crtscts",
  PRIORITY,
  "hardware flow control (RTS/CTS)",
  { crtscts: "on" },
  {
    fields: {
      /** Flow control: RTS/CTS on or off, ^S/^Q, or as the port already is. */
      crtscts: oneOf<"on" | "off" | "xonxoff" | "unset">("unset"),
    },
  },
);

const xonxoff = row({
  name: "xonxoff",
  rules: GROUP,
  about: "software flow control (^S/^Q)",
  argument: false,
  shares: [crtscts, asyncmap],
  set({ draft }) {
    draft.crtscts = "xonxoff";
    draft.asyncmap = (draft.asyncmap | 0x000a0000) >>> 0; // the peer must not send ^Q and ^S as data
  },
  value: (fields) => (fields.crtscts === "xonxoff" ? "" : undefined),
});

const nocrtscts = sets("nocrtscts", GROUP, "no hardware flow control", { crtscts: "off" }, { shares: [crtscts] });
const lock = flag("lock", "lock", PRIORITY, "lock the serial port against other programs");
const modem = sets(
  "modem",
  PRIORITY,
  "use the modem's control lines",
  { modem: true, modemIfCarrier: false },
  {
    fields: {
      /** False with `local`. */
      modem: true,
      /** Heed them if the line has a carrier when it is opened. */
      modemIfCarrier: false,
    },
  },
);

const climb = sets(
  "climb",
  PRIORITY,
  "agree with the other end on the fastest speed that the line can do, if it knows how",
  { climb: "yes" },
  {
    fields: {
      /** Change the speed of the line while the link is up; only on a serial port without a connect script; or never. */
      climb: oneOf<"yes" | "if cable" | "no">("no"),
    },
  },
);

export const TTY = [
  deviceName,
  ttySpeed,
  lock,
  sets("nolock", GROUP | PRIVILEGED, "do not lock the serial port", { lock: false }, { shares: [lock] }),
  // /bin/sh -c runs the commands. An empty one counts as given (for holdoff and the wait for a carrier) and runs
  // nothing.
  text("init", "init", COMMAND | PRIORITY | PRIVFIX, "a command that prepares the modem"),
  text("connect", "connect", COMMAND | PRIORITY | PRIVFIX, "a command that makes the connection"),
  text("disconnect", "disconnect", COMMAND | PRIORITY | PRIVFIX, "a command that ends the connection"),
  text("welcome", "welcome", COMMAND | PRIORITY | PRIVFIX, "a command to run before PPP starts"),
  text("pty", "pty", COMMAND | PRIORITY | PRIVFIX | INIT_ONLY | DEVICE, "a command to use as the line"),
  flag("notty", "notty", INIT_ONLY | DEVICE, "use standard input and output as the line"),
  text("socket", "socket", PRIORITY | INIT_ONLY | DEVICE, "a TCP connection to use as the line: host:port"),
  socketListen,
  text("record", "record", PRIORITY, "a file in which to record all octets of the line"),
  crtscts,
  // Linux has no such flow control, so the port's setting stays.
  sets("cdtrcts", GROUP, "hardware flow control with DTR and CTS", { crtscts: "unset" }, { shares: [crtscts] }),
  nocrtscts,
  alias(nocrtscts, "-crtscts"),
  alias(nocrtscts, "nocdtrcts"),
  xonxoff,
  stopBits,
  modem,
  sets(
    "local",
    GROUP,
    "ignore the modem's control lines",
    { modem: false, modemIfCarrier: false },
    { shares: [modem] },
  ),
  sets(
    "modem-if-carrier",
    GROUP,
    "modem if the line has a carrier when it is opened, else local",
    { modem: false, modemIfCarrier: true },
    { shares: [modem] },
  ),
  climb,
  sets("noclimb", GROUP, "the line keeps its speed", { climb: "no" }, { shares: [climb] }),
  sets(
    "climb-if-cable",
    GROUP,
    "climb if the line is a serial port and nothing has dialled",
    { climb: "if cable" },
    { shares: [climb] },
  ),
  flag("sync", "sync", 0, "the line is synchronous"),
  number("datarate", "datarate", 0, PRIORITY, "the most octets per second on pty, notty and socket", {
    min: 0,
    outside: "moved",
  }),
  escape,
] as const;
