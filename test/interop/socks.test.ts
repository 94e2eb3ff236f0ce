// `nullmodem join --socks` and a `usernet` at the other end of a cable, both as an ordinary user without capabilities: curl
// fetches a page beyond the link through the proxy, in each of the proxy's languages.

import { afterEach, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { type Cable, openCable } from "../kit/cable.ts";
import { closeMachines, machinesMissing, openMachine } from "../kit/machine.ts";
import { builtFor, Program } from "../kit/program.ts";
import { PATIENT_WORDS } from "./patient-options.ts";

const OUTSIDE = "192.0.2.80";
const PAGE = "0123456789".repeat(100_000);
const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--bounding-set=-all"];
const OPTIONS = [...PATIENT_WORDS, "noipv6", "noccp"];
const PROXY = "127.0.0.1:1080";
/** The page takes three seconds. */
const SPEED = "4000000";

let programs: Program[] = [];
let cable: Cable | undefined;
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await closeMachines();
  await cable?.close();
  cable = undefined;
});

const why =
  machinesMissing() ??
  (["setpriv", "curl"].every((tool) => Bun.which(tool)) ? undefined : "setpriv or curl is not installed") ??
  (process.getuid?.() === 0 ? undefined : "only root can become another user here");
const NAME = "join --socks without rights: curl fetches a page by its name, and is told why it cannot";

test.skipIf(why !== undefined)(why === undefined ? NAME : `${NAME} [skipped: ${why}]`, async () => {
  cable = await openCable();
  for (const path of [cable.a, cable.b]) chmodSync(path, 0o666);
  const [near, far] = await Promise.all([
    openMachine("near", { ttys: { ttyS0: cable.a } }),
    openMachine("far", { ttys: { ttyS1: cable.b }, files: { "/etc/resolv.conf": `nameserver ${OUTSIDE}\n` } }),
  ]);
  await far.run("ip", "addr", "add", `${OUTSIDE}/32`, "dev", "lo");
  const run = (machine: typeof near, ...words: readonly string[]): Program => {
    const program = new Program(words, { machine });
    programs.push(program);
    return program;
  };
  const outside = run(far, process.execPath, `${import.meta.dir}/../kit/outside.ts`, OUTSIDE);
  await outside.waitFor("ready");
  const joining = run(
    near,
    ...NOBODY,
    builtFor(near),
    "join",
    "ttyS0",
    "--speed",
    SPEED,
    "--socks",
    "1080",
    "--",
    ...OPTIONS,
  );
  await joining.waitFor(`SOCKS and HTTP proxy at ${PROXY}`);
  const page = (...words: readonly string[]) => near.run("curl", "-sS", ...words);
  // On a busy machine the link may come up later than a request waits for it.
  const patient = ["--retry", "1000", "--retry-delay", "1", "--retry-all-errors"];
  // This one asks before there is a link.
  const early = page(...patient, "--socks5-hostname", PROXY, "http://outside.test/");
  const server = ["/dev/ttyS1", SPEED, "nodetach", "noauth", "local", "usernet", "10.0.0.1:10.0.0.2", ...OPTIONS];
  run(far, ...NOBODY, builtFor(far, "pppd"), ...server);
  await joining.waitFor("remote IP address 10.0.0.1");
  expect((await early).stdout === PAGE).toBe(true);
  for (const words of [
    ["--socks5", PROXY, `http://${OUTSIDE}/short`],
    ["--socks4a", PROXY, "http://outside.test/short"],
    ["--proxy", `http://${PROXY}`, "http://outside.test/short"],
    ["--proxytunnel", "--proxy", `http://${PROXY}`, "http://outside.test/short"],
  ]) {
    const fetched = await page(...patient, ...words);
    expect(fetched.stdout === PAGE.slice(0, 1000)).toBe(true);
  }
  // Nobody listens there: SOCKS5 says "connection refused" (5), and HTTP says it in words.
  const refused = await page("-v", "--socks5-hostname", PROXY, `http://${OUTSIDE}:81/`);
  expect(refused.stderr).toMatch(/\(5\)/);
  const answer = await page("--proxy", `http://${PROXY}`, `http://${OUTSIDE}:81/`);
  expect(answer.stdout).toBe("nullmodem: The host refused the connection.\n");
  expect([near.interfaces(), far.interfaces()]).toEqual([[], []]);
  joining.kill();
  expect(await joining.exit()).toBe(5);
});
