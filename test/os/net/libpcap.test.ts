import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileFilter, type Instruction } from "../../../src/os/net/libpcap.ts";

const skip = compileFilter("", 0) === undefined ? "libpcap is not installed (Debian package libpcap0.8)" : undefined;
const on = (name: string, why = skip): string => (why === undefined ? name : `${name} [skipped: ${why}]`);

const TAKE = { code: 0x06, jt: 0, jf: 0, k: 65535 };
const DROP = { code: 0x06, jt: 0, jf: 0, k: 0 };

test.skipIf(skip !== undefined)(
  on("an expression becomes instructions, the direction where pppd's kernel has it"),
  () => {
    expect(compileFilter("", 0)).toEqual([TAKE]);
    const direction = (value: number): Instruction[] => [
      { code: 0x30, jt: 0, jf: 0, k: 0 },
      { code: 0x15, jt: 0, jf: 1, k: value },
      TAKE,
      DROP,
    ];
    expect(compileFilter("outbound", 0)).toEqual(direction(1));
    expect(compileFilter("inbound", 0)).toEqual(direction(0));
    expect(compileFilter("ip6", 0)).toEqual([
      { code: 0x28, jt: 0, jf: 0, k: 2 },
      { code: 0x15, jt: 0, jf: 1, k: 0x57 },
      TAKE,
      DROP,
    ]);
  },
);

test.skipIf(skip !== undefined)(on("what is wrong is said in libpcap's words, again and again"), () => {
  for (let round = 0; round < 100; round++) {
    expect(compileFilter("not a filter (", 0)).toMatch(/syntax error$/);
    expect(compileFilter("ether host 00:11:22:33:44:55", 0)).toMatch(/^ethernet addresses supported only on ethernet/);
  }
});

test.skipIf(skip !== undefined)(on("the netmask goes to libpcap as it lies in pppd's memory"), () => {
  const program = compileFilter("ip broadcast", 0xffffff00);
  if (program === undefined || typeof program === "string") throw new Error(program);
  expect(program.map(({ k }) => k)).toContain(0xff000000);
});

const library = /\S*\/libpcap\.so\.\S*/.exec(readFileSync("/proc/self/maps", "latin1"))?.[0];
const hidden = (...command: readonly string[]) =>
  spawnSync("unshare", ["-m", "sh", "-c", 'mount --bind /dev/null "$0" && exec "$@"', library ?? "", ...command], {
    encoding: "utf8",
  });
const noHiding = skip ?? (hidden("true").status === 0 ? undefined : "nothing can be mounted here (not root?)");

test.skipIf(noHiding !== undefined)(on("without libpcap there is no program", noHiding), () => {
  const source = join(import.meta.dir, "../../../src/os/net/libpcap.ts");
  const script = `console.log(String((await import(${JSON.stringify(source)})).compileFilter("tcp", 0)))`;
  expect(hidden(process.execPath, "-e", script)).toMatchObject({ status: 0, stdout: "undefined\n" });
});
