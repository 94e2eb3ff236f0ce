// nullmodem status: the fields of --json are those of the table, and the metrics come from it.

import { expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prometheusText } from "../../src/commands/prometheus.ts";
import { fieldsText, STATUS_FIELDS } from "../../src/commands/status-fields.ts";
import { status } from "../../src/commands/status.ts";
import { parseStatus } from "../../src/run/live/parsed-status.ts";
import type { Status } from "../../src/run/live/published-status.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";
import { FULL_LINE, FULL_STATUS } from "./full-status.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");

async function run(argv: string[], links: Status[]) {
  let out = "";
  const code = await status(argv, {
    links: () => links,
    hasLeftChanges: () => false,
    sleep: async (milliseconds) => milliseconds,
    print: (text) => void (out += text),
  });
  return { code, out };
}

/** The paths of all that is no object, with the kind of each. */
function leaves(value: unknown, path = ""): [string, string][] {
  if (Array.isArray(value)) return value.flatMap((one) => leaves(one, `${path}[]`));
  if (typeof value !== "object" || value === null) return [[path, typeof value]];
  return Object.entries(value).flatMap(([name, part]) => leaves(part, path === "" ? name : `${path}.${name}`));
}

test("each field of --json is in the table, and each field of the table is printed", async () => {
  const [printed] = JSON.parse((await run(["--json"], [FULL_STATUS])).out) as unknown[];
  const kinds = { string: "text", number: "number", boolean: "truth" } as Record<string, string>;
  const found = leaves(printed).map(([path, kind]) => `${path} ${kinds[kind]}`);
  expect(found.sort()).toEqual(STATUS_FIELDS.map(({ path, type }) => `${path} ${type}`).sort());
  expect((await run(["--fields"], [])).out).toBe(fieldsText());
  expect(fieldsText()).toContain("lines[].roundTrip.last");
});

test("a reader takes a status whose newer parts are missing, or of another shape, and the older parts stay", () => {
  const published = parseStatus(JSON.stringify(FULL_STATUS));
  expect(published).toEqual(FULL_STATUS);
  const { roundTrip: _, modem: __, waiting: ___, ring: ____, agreed: _____, climbedFrom: ______, ...old } = FULL_LINE;
  const { queue: _______, interleave: __________, vj: ________, transfers: _________, ...rest } = FULL_STATUS;
  const older = { ...rest, lines: [old] };
  expect(parseStatus(JSON.stringify(older))).toEqual(older);
  const odd = {
    queue: { packets: "many" },
    vj: true,
    interleave: 1,
    transfers: [{ name: 5 }],
    lines: [{ ...old, roundTrip: 12, modem: [], waiting: "x", ring: {}, agreed: { receive: {} }, climbedFrom: null }],
  };
  expect(parseStatus(JSON.stringify({ ...rest, ...odd }))).toEqual(older);
});

test("metrics have a name, a help and a type each, and their samples stand together", () => {
  const text = prometheusText([FULL_STATUS, { ...FULL_STATUS, interface: "ppp1", up: undefined }]);
  const lines = text.trimEnd().split("\n");
  let name = "";
  const seen = new Set<string>();
  for (const line of lines) {
    const help = /^# HELP (\S+) \S.*$/.exec(line);
    if (help !== null) {
      expect(seen.has(help[1]!)).toBe(false);
      seen.add((name = help[1]!));
    } else if (line.startsWith("# TYPE"))
      expect(line).toBe(`# TYPE ${name} ${name.endsWith("_total") ? "counter" : "gauge"}`);
    else expect(line).toMatch(new RegExp(`^${name}\\{interface="ppp[01]"[^\\n]*\\} [0-9.e+-]+$`));
  }
  expect(text).toContain('nullmodem_link_up{interface="ppp1",linkname="lap",peer="zaphod"} 0\n');
  expect(text).toContain('nullmodem_received_bytes_total{interface="ppp0",linkname="lap",peer="zaphod"} 1234567\n');
  const own = 'interface="ppp0",linkname="lap",peer="zaphod",device="/dev/ttyS0"';
  expect(text).toContain(`nullmodem_line_round_trip_seconds{${own}} 0.0123\n`);
  expect(text).toContain(`nullmodem_line_modem_signal{${own},signal="dcd"} 0\n`);
  expect(text).toContain(`nullmodem_line_bad_frames_total{${own},kind="aborted"} 2\n`);
  expect(text).toContain(`nullmodem_line_phase{${own},phase="network"} 1\n`);
});

test("links of the same name in two network namespaces have different labels", () => {
  const text = prometheusText([FULL_STATUS, { ...FULL_STATUS, pid: 9 }]);
  const labels = text.split("\n").filter((line) => line.startsWith("nullmodem_mtu_bytes"));
  expect(labels.map((line) => /pid="(\d+)"/.exec(line)?.[1])).toEqual(["812", "9"]);
  expect(prometheusText([FULL_STATUS])).not.toContain("pid=");
});

test("what a peer calls itself cannot leave its label", () => {
  const peer = 'a"} 1\nevil 2\\\u001b[2J';
  const text = prometheusText([{ ...FULL_STATUS, peer }]);
  expect(text).not.toMatch(/^evil/m);
  expect(text).toContain('peer="a\\"} 1\\\\x0aevil 2\\\\\\\\x1b[2J"}');
  expect(text).toMatch(/^[\x20-\x7e\n]+$/);
});

test("--textfile writes the metrics at once and leaves nothing else, and says why it cannot", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-metrics-"));
  try {
    const path = join(folder, "links.prom");
    expect((await run([`--textfile=${path}`, "ppp0"], [FULL_STATUS])).code).toBe(0);
    expect(readFileSync(path, "utf8")).toBe(prometheusText([FULL_STATUS]));
    expect(statSync(path).mode & 0o777).toBe(0o644);
    // No link is running: the numbers of earlier ones are gone.
    expect((await run(["--textfile", path], [])).code).toBe(0);
    expect(readFileSync(path, "utf8")).toBe("");
    expect(readdirSync(folder)).toEqual(["links.prom"]);
    expect((await run(["--textfile", join(folder, "absent", "x.prom")], [])).code).toBe(1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("--textfile replaces a regular file and nothing else, and says so", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-metrics-"));
  try {
    const [target, link, socket] = [join(folder, "target"), join(folder, "link"), join(folder, "fifo")];
    writeFileSync(target, "old");
    symlinkSync(target, link);
    Bun.spawnSync(["mkfifo", socket]);
    for (const path of [link, socket, folder])
      for (const more of [[], ["--interval", "0.1"]])
        expect((await run(["--textfile", path, ...more], [FULL_STATUS])).code).toBe(2);
    expect(readFileSync(target, "utf8")).toBe("old");
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(lstatSync(socket).isFIFO()).toBe(true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test(
  "with --interval the file is written again and again, and removed at the end",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "nullmodem-metrics-"));
    const path = join(folder, "links.prom");
    const words = ["status", "--textfile", path, "--interval", "0.1"];
    const program = Bun.spawn([process.execPath, MAIN, ...words], { stdio: ["ignore", "ignore", "inherit"] });
    try {
      await until("the file is there", () => existsSync(path));
      const { ino } = statSync(path);
      await until("it is another one", () => statSync(path, { throwIfNoEntry: false })?.ino !== ino);
      program.kill("SIGTERM");
      expect(await program.exited).toBe(0);
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      program.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    }
  },
  PATIENCE_MS,
);

test("a link is found by its interface, its linkname or a device, and wrong words are refused", async () => {
  const other = { ...FULL_STATUS, interface: "ppp1", linkname: "", lines: [{ ...FULL_LINE, device: "/dev/ttyS1" }] };
  const names = async (word: string): Promise<string[]> =>
    (JSON.parse((await run(["--json", word], [FULL_STATUS, other])).out) as Status[]).map((link) => link.interface);
  expect(await names("ppp1")).toEqual(["ppp1"]);
  expect(await names("lap")).toEqual(["ppp0"]);
  expect(await names("/dev/ttyS1")).toEqual(["ppp1"]);
  for (const words of [
    ["--textfile"],
    ["--interval", "5"],
    ["--textfile", "x", "--interval", "soon"],
    ["--json", "--prometheus"],
    ["--json=5"],
  ])
    expect((await run(words, [])).code).toBe(2);
});
