// Options of the line: which device, how fast, which wires, which commands.

import { OptionError } from "../error.ts";
import { isFailure, type OptionHost } from "../host.ts";
import {
  alias,
  checkLimits,
  decoded,
  DEVICE,
  flag,
  GROUP,
  INIT_ONLY,
  number,
  PRIORITY,
  PRIVFIX,
  PRIVILEGED,
  quoted,
  special,
  text,
  wholeNumber,
  type Row,
} from "../row.ts";
import { scanNumber } from "../numbers.ts";
import { parseSocketAddress } from "../socket-address.ts";

/** A word without a slash in front names a device in /dev. */
function devicePath(word: string): string {
  const path = decoded(word);
  return path.startsWith("/") ? path : `/dev/${path}`;
}

/** Anything but a file that is not there is taken for a device, so that the error can say what is wrong with it. */
function isDevice(word: string, host: OptionHost): boolean {
  if (word === "") return false;
  const found = host.statDevice(devicePath(word));
  return isFailure(found) ? found.errno !== "ENOENT" : found.device !== undefined;
}

const DEVICE_NAME: Row = {
  name: "device name",
  rules: PRIVFIX | INIT_ONLY | DEVICE,
  about: "the serial port: a path, or a name in /dev",
  argument: false,
  takes: isDevice,
  set({ config, host, privileged }, word) {
    const path = devicePath(word);
    const found = host.statDevice(path);
    // A device that is not there yet: whether it is waited for, the caller knows.
    if (isFailure(found) && found.errno !== "ENOENT") throw new OptionError(`Couldn't stat ${path}: ${found.reason}`);
    config.device = path;
    config.defaultDevice = false;
    config.devicePrivileged = privileged;
  },
  value: ({ device }) => quoted(device ?? ""),
};

/** Ten times what the fastest UARTs do. More is a slip of the finger, or a telephone number. */
const FASTEST = 200_000_000;

const TTY_SPEED: Row = {
  name: "tty speed",
  rules: PRIORITY,
  about: "the speed in bits per second",
  argument: false,
  takes(word) {
    const number = scanNumber(word);
    return number !== undefined && number.end === word.length && number.value !== 0;
  },
  set({ config }, word) {
    const speed = scanNumber(word)?.value ?? 0;
    if (speed > FASTEST) throw new OptionError(`speed ${decoded(word)} not supported`);
    config.speed = speed;
  },
  value: ({ speed }) => String(speed),
};

function setStopBits({ config }: { config: { stopBits: 1 | 2 } }, word: string): void {
  const value = wholeNumber("stop-bits", word);
  checkLimits("stop-bits", value, { min: 1, max: 2 });
  config.stopBits = value === 2 ? 2 : 1;
}

/** Hexadecimal character codes with commas or blanks between them. */
function setEscape({ config }: { config: { escape: number[] } }, argument: string): void {
  const refused: string[] = [];
  const chars = new Set(config.escape);
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
  config.escape = [...chars].sort((a, b) => a - b);
  if (refused.length > 0) throw new OptionError(refused);
}

const nocrtscts = flag("nocrtscts", GROUP, "no hardware flow control", { crtscts: "off" });

export const TTY: readonly Row[] = [
  DEVICE_NAME,
  TTY_SPEED,
  flag("lock", PRIORITY, "lock the serial port against other programs", { lock: true }),
  flag("nolock", GROUP | PRIVILEGED, "do not lock the serial port", { lock: false }),
  text("init", "init", PRIORITY | PRIVFIX, "a command that prepares the modem"),
  text("connect", "connect", PRIORITY | PRIVFIX, "a command that makes the connection"),
  text("disconnect", "disconnect", PRIORITY | PRIVFIX, "a command that ends the connection"),
  text("welcome", "welcome", PRIORITY | PRIVFIX, "a command to run before PPP starts"),
  text("pty", "pty", PRIORITY | PRIVFIX | INIT_ONLY | DEVICE, "a command to use as the line"),
  flag("notty", INIT_ONLY | DEVICE, "use standard input and output as the line", { notty: true }),
  text("socket", "socket", PRIORITY | INIT_ONLY | DEVICE, "a TCP connection to use as the line: host:port"),
  {
    ...text(
      "socket-listen",
      "socketListen",
      PRIORITY | INIT_ONLY | DEVICE,
      "the same, called by the peer: [address:]port",
    ),
    set({ config }, word) {
      const where = decoded(word);
      if ((parseSocketAddress(where)?.port ?? 0) === 0)
        throw new OptionError(`socket-listen takes a port, or an address and a port (10.0.0.1:5000), not '${where}'`);
      config.socketListen = where;
    },
  },
  text("record", "record", PRIORITY, "a file in which to record every character"),
  flag("crtscts", PRIORITY, "hardware flow control (RTS/CTS)", { crtscts: "on" }),
  // Linux has no such flow control: what the port has stays.
  flag("cdtrcts", GROUP, "hardware flow control with DTR and CTS", { crtscts: "unset" }),
  nocrtscts,
  alias(nocrtscts, "-crtscts"),
  alias(nocrtscts, "nocdtrcts"),
  {
    ...flag("xonxoff", GROUP, "software flow control (^S/^Q)", { crtscts: "xonxoff" }),
    set({ config }) {
      config.crtscts = "xonxoff";
      config.asyncmap = (config.asyncmap | 0x000a0000) >>> 0; // the peer must not send ^Q and ^S as data
    },
  },
  special("stop-bits", PRIORITY | PRIVFIX, "stop bits of a character: 1 or 2", setStopBits, (config) =>
    String(config.stopBits),
  ),
  flag("modem", PRIORITY, "heed and use the modem's control lines", { modem: true }),
  flag("local", GROUP, "ignore the modem's control lines", { modem: false }),
  flag("sync", 0, "the line is synchronous", { sync: true }),
  number("datarate", "datarate", PRIORITY, "bytes per second of pty, notty and socket at most", {
    min: 0,
    outside: "moved",
  }),
  special("escape", 0, "characters to escape besides those the peer names, in hex", setEscape, (config) =>
    config.escape.length === 0 ? "oops # nothing escaped" : config.escape.map((char) => char.toString(16)).join(","),
  ),
];
