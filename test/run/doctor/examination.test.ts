// Each finding of the doctor on a simulated port in which exactly this fault is, and none on a healthy one.

import { expect, test } from "bun:test";
import { bytesOf } from "../../../src/bytes/text.ts";
import { Examination } from "../../../src/run/doctor/examination.ts";
import { pppFormat } from "../../kit/uart.ts";
import { Rng } from "../../kit/rng.ts";
import { echo, login, ppp, REQUEST, type Scene, silent, SimulatedPort } from "./simulated-port.ts";

async function examined(scene: Scene, speed = 115200) {
  const port = new SimulatedPort(scene);
  const rng = new Rng(1);
  const examination = new Examination(port, speed, () => rng.u32());
  const facts = await examination.run();
  return { facts, findings: examination.findings, codes: examination.findings.map(({ code }) => code), port };
}

const LINES = { cts: true, dsr: true, cd: true };
const ALL = (octets: Uint8Array): Uint8Array => octets;

const CASES: readonly (readonly [code: string, scene: Scene, speed?: number])[] = [
  ["lines-dead", { lines: () => ({ cts: false, dsr: false, cd: false }) }],
  ["cts-low", { lines: () => ({ ...LINES, cts: false }) }],
  ["dtr-missing", { lines: () => ({ ...LINES, dsr: false, cd: false }) }],
  ["carrier-missing", { lines: () => ({ ...LINES, cd: false }) }],
  ["lines-joined", { lines: ({ dtr, rts }) => ({ cts: rts, dsr: dtr, cd: dtr }) }],
  ["loopback", { plug: ALL }],
  ["echo", { far: echo }],
  ["silence", { far: silent }],
  ["other-speed", { format: pppFormat(9600) }],
  ["text", { far: (octets) => (octets.includes(13) ? bytesOf("\r\nhost login: ") : octets.subarray(0, 0)) }],
  ["seven-bits", { format: { ...pppFormat(115200), dataBits: 7, parity: "even" }, says: REQUEST }],
  [
    "seven-bits",
    {
      far: silent,
      format: { ...pppFormat(115200), dataBits: 7, parity: "odd" },
      says: bytesOf("host login: please\r\n"),
    },
  ],
  ["noise", { far: silent, says: new Rng(5).bytes(40) }],
  ["speed", {}, 230400],
  ["overruns", { errors: { overrun: 3 } }],
  ["xonxoff", { says: Uint8Array.of(...REQUEST, 0x13, ...REQUEST, 0x11) }],
];

test.each(CASES.map(([code, scene, speed = 115200]) => ({ code, scene, speed })))(
  "$code: exactly this finding",
  async ({ code, scene, speed }) => {
    const { codes, findings } = await examined(scene, speed);
    expect(codes).toEqual([code]);
    for (const { text, remedy } of findings) {
      expect(text).toMatch(/^[^.]+$/);
      expect((remedy ?? "").length > 0 || ["speed", "overruns"].includes(code)).toBe(true);
    }
  },
);

test.each<readonly [string, Scene]>([
  ["all wires", {}],
  ["a pty", { lines: "none", isPty: true }],
  ["a peer that speaks first", { far: silent, says: REQUEST }],
])("a healthy port shows no finding: %s", async (_, scene) => {
  const { findings, facts } = await examined(scene);
  expect(findings).toEqual([]);
  expect(facts.far).toEqual({ kind: "ppp", speed: 115200 });
});

test.each([1200, 9600, 19200, 38400, 57600])("PPP at %d bit/s is found", async (speed) => {
  const { facts, codes } = await examined({ format: pppFormat(speed), far: ppp });
  expect([facts.far, codes]).toEqual([{ kind: "ppp", speed }, ["other-speed"]]);
});

test("a login at another speed is found by Return, and one at our speed echoes", async () => {
  expect((await examined({ far: login })).codes).toEqual(["echo"]);
  const { facts, codes } = await examined({ far: login, format: pppFormat(9600) });
  expect([facts.far, codes]).toEqual([{ kind: "echo", speed: 9600 }, ["other-speed", "echo"]]);
});

test("a speed that the port cannot do is not taken for that of the far side", async () => {
  const { facts } = await examined({}, 230400);
  expect(facts).toMatchObject({ far: { kind: "ppp", speed: 115200 }, refused: [230400, 460800, 921600] });
});

test("framing errors of a sender at the right speed are a finding, and those of the search are not", async () => {
  const { codes } = await examined({ far: silent, says: REQUEST, errors: { frame: 1 } });
  expect(codes).toEqual(["framing-errors"]);
  expect((await examined({ format: pppFormat(9600), says: REQUEST })).codes).toEqual(["other-speed"]);
});

test("a plug that takes octets away: which ones", async () => {
  const without = (lost: (octet: number) => boolean) => (octets: Uint8Array) => octets.filter((octet) => !lost(octet));
  const codesOf = async (plug: Scene["plug"]): Promise<string[]> => (await examined({ plug: plug! })).codes;
  expect(await codesOf(without((octet) => octet === 0x11 || octet === 0x13))).toEqual(["loopback", "xonxoff"]);
  expect(await codesOf((octets) => octets.map((octet) => octet & 0x7f))).toEqual(["loopback", "seven-bits"]);
  expect(await codesOf(without((octet) => octet === 0xff))).toEqual(["loopback", "octets-lost"]);
});

test("the port has its speed and its lines at the end", async () => {
  const { port } = await examined({ far: silent }, 57600);
  expect(port.modemLines()).toMatchObject({ dtr: true, rts: true });
  expect(port.speed).toBe(57600);
});
