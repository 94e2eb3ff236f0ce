import { expect, test } from "bun:test";
import { fits, portName, readServeWords as read, type ServeWishes } from "../../../src/run/serve/serve-words.ts";

/** /dev/modem is a device of this machine. */
const readServeWords = (words: readonly string[]): ServeWishes => read(words, (path) => path === "/dev/modem");

const NOTHING = { speed: undefined, auth: false, login: false, prompts: true, words: [] };

test("ports are devices, patterns and TCP addresses", () => {
  const { ports } = readServeWords([
    "ttyS0",
    "/dev/serial/by-id/usb-x",
    "ttyUSB*",
    "[::1]:5000",
    "localhost:5001",
    "5002",
  ]);
  expect(ports).toEqual([
    { kind: "device", path: "/dev/ttyS0" },
    { kind: "device", path: "/dev/serial/by-id/usb-x" },
    { kind: "pattern", folder: "/dev", pattern: "ttyUSB*" },
    { kind: "listener", where: "[::1]:5000" },
    { kind: "listener", where: "localhost:5001" },
    { kind: "listener", where: "5002" },
  ]);
  expect(ports.map(portName)).toEqual([
    "ttyS0",
    "serial/by-id/usb-x",
    "ttyUSB*",
    "[::1]:5000",
    "localhost:5001",
    "5002",
  ]);
});

test("flags, and pppd's own words behind --", () => {
  const port = { ports: [{ kind: "device", path: "/dev/ttyS0" }] } as const;
  expect(readServeWords(["ttyS0"])).toEqual({ ...port, ...NOTHING });
  expect(readServeWords(["--speed", "9600", "ttyS0"])).toEqual({ ...port, ...NOTHING, speed: "9600" });
  expect(readServeWords(["ttyS0", "--speed=9600", "--auth", "--no-login"])).toEqual({
    ...port,
    ...NOTHING,
    speed: "9600",
    auth: true,
    prompts: false,
  });
  expect(readServeWords(["ttyS0", "--login", "--", "--auth", "debug"])).toEqual({
    ...port,
    ...NOTHING,
    auth: true,
    login: true,
    words: ["--auth", "debug"],
  });
});

test.each([
  [[], "name a port: ttyUSB0, 'ttyUSB*', /dev/ttyS0, 127.0.0.1:5000"],
  [["--", "debug"], "name a port: ttyUSB0, 'ttyUSB*', /dev/ttyS0, 127.0.0.1:5000"],
  [["127.0.0.1:x"], "127.0.0.1:x: neither a device nor a TCP address with a port number, as 127.0.0.1:5000"],
  [["ttyS0", "--speed"], "--speed takes bits a second: 115200"],
  [["ttyS0", "--speed", "fast"], "--speed takes bits a second: 115200"],
  [["ttyS0", "--debug"], `there is no option "--debug"; pppd's own words go behind --`],
  [["ttyS0", "115200"], "115200 is no TCP port; for the speed of all ports: --speed 115200"],
  [["/dev/*/ttyS0"], "/dev/*/ttyS0: only the last part of a path may be a pattern"],
  [["ttyUSB[9-0]"], "ttyUSB[9-0] is no pattern: a range such as [0-9] goes upwards"],
])("%j is refused", (words, message) => expect(() => readServeWords(words)).toThrow(message));

test.each([
  ["ttyS0 noshare", "noshare", "ttyS0 -- noshare"],
  ["ttyS0 usernet", "usernet", "ttyS0 -- usernet"],
  ["ttyS0 share=loopback", "share=loopback", "ttyS0 -- share=loopback"],
  ["ttyS0 +pap", "+pap", "ttyS0 -- +pap"],
  ["ttyS0 plugin passwordfd.so passwordfd 3", "plugin", "ttyS0 -- plugin passwordfd.so passwordfd 3"],
  ["auth ttyUSB* --speed 9600", "auth", "'ttyUSB*' --speed 9600 -- auth"],
  ["debug", "debug", "ttyS0 -- debug"],
  ["ttyS0 local -- noauth", "local", "ttyS0 -- local noauth"],
  [
    "ttyS0 share-deny 10.0.0.0/8 forward 8080=80 5000",
    "share-deny",
    "ttyS0 5000 -- share-deny 10.0.0.0/8 forward 8080=80",
  ],
])("%s: an option of pppd is no port", (words, option, better) =>
  expect(() => readServeWords(words.split(" "))).toThrow(
    `${option} is an option of pppd: options go behind --: nullmodem serve ${better}`,
  ),
);

test("a device with the name of an option is a port when it is there, or when it is written with its folder", () => {
  for (const word of ["modem", "/dev/modem"])
    expect(readServeWords([word]).ports).toEqual([{ kind: "device", path: "/dev/modem" }]);
  expect(readServeWords(["/dev/local"]).ports).toEqual([{ kind: "device", path: "/dev/local" }]);
  expect(() => readServeWords(["local"])).toThrow("local is an option of pppd");
});

test("patterns are those of a shell", () => {
  const names = ["ttyUSB0", "ttyUSB10", "ttyS0", "ttyS1", "tty.S0", "ttyACM0"];
  const fitting = (pattern: string): string => names.filter((name) => fits(pattern, name)).join(" ");
  expect(fitting("ttyUSB*")).toBe("ttyUSB0 ttyUSB10");
  expect(fitting("ttyUSB?")).toBe("ttyUSB0");
  expect(fitting("ttyS[1-3]")).toBe("ttyS1");
  expect(fitting("ttyS[!1]")).toBe("ttyS0");
  expect(fitting("tty.S*")).toBe("tty.S0");
  expect(fitting("*")).toBe(names.join(" "));
  for (const odd of ["ttyS[\\]", "ttyS[^1]", "ttyS[[]", "ttyS[", "ttyS[]"])
    expect(fitting(odd)).toBe(odd === "ttyS[^1]" ? "ttyS1" : "");
});
