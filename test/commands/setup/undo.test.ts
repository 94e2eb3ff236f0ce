// setup --undo: every octet, mode and owner is as before, also after a setup or an undo that was killed at any step, and
// what the administrator changed meanwhile stays.

import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Rng } from "../../kit/rng.ts";
import { Killed, Tree } from "./tree.ts";

setDefaultTimeout(60_000);

const trees: Tree[] = [];
afterEach(() => {
  for (const tree of trees.splice(0)) tree.remove();
});

function newTree(): Tree {
  const tree = new Tree();
  trees.push(tree);
  return tree;
}

const SERVE = "--role serve --port /dev/ttyS1 --yes";

/** Words of a setup, with what it needs. */
function setups(tree: Tree): string[] {
  const password = `--password-file ${tree.root}/password`;
  return [
    `${SERVE} --auth none`,
    `${SERVE} --user anna ${password} --service systemd`,
    `${SERVE} --auth login --peer palm --speed 57600 --service cron`,
    `--role join --port /dev/ttyS1 --yes --user otto ${password} --peer win98 --service inittab`,
    "--role join --port /dev/ttyUSB0 --peer quectel --apn internet --default-route --yes --service openrc",
  ];
}

/** A tree with files that were there before, in all the ways in which files end. */
function someTree(rng: Rng): Tree {
  const tree = newTree();
  tree.put("/password", "geheim\n", 0o600);
  const ends = ["", "\n", "\r\n", " \\\n", "\n# caf\xe9 \xff"];
  const maybe = (path: string, lines: string, mode: number): void => {
    if (rng.chance(0.4)) return;
    const text = `# ${path}\n${lines}${ends[rng.below(ends.length)]}`;
    tree.put(path, rng.chance(0.1) ? "" : Buffer.from(text, "latin1"), mode, rng.below(3));
  };
  maybe("/etc/ppp/options", "lock\nasyncmap 0", 0o644);
  maybe("/etc/ppp/options.ttyS1", "9600\ncrtscts", rng.chance(0.5) ? 0o640 : 0o644);
  maybe("/etc/ppp/pap-secrets", 'zaphod * "gargle blaster"', 0o600);
  maybe("/etc/ppp/chap-secrets", "zaphod * x\n\n", 0o400);
  maybe("/etc/inittab", "id:2:initdefault:", 0o644);
  return tree;
}

/** An undo that is killed, and another one if the first had not come to its end. */
async function undo(tree: Tree, rng: Rng, before: readonly string[]): Promise<void> {
  const killed = await tree.run("--undo", { steps: rng.below(12) }).catch((error: unknown) => error);
  if (!(killed instanceof Killed)) expect(killed).toMatchObject({ code: 0, err: "" });
  else if (tree.snapshot().join("\n") !== before.join("\n")) {
    const again = await tree.run("--undo");
    if (again.code === 0) return;
    expect(again.err).toBe("There is no setup to take back.\n");
    // The record was gone already. Folders that setup had made may be left, empty.
    const left = tree.snapshot().filter((line) => !before.includes(line));
    expect(left.every(isFolder)).toBe(true);
    for (const line of left.toReversed()) tree.removeFolder(line.split(" ")[0]!);
  }
}

const isFolder = (line: string): boolean => / 4\d{4} /.test(line);

describe.each([1, 2, 3, 4, 5, 6])("seed %d", (seed) => {
  test("two setups in a row, and two undos, each killed once on the way", async () => {
    const rng = new Rng(seed);
    for (let round = 0; round < 3; round++) {
      const tree = someTree(rng);
      const states = [tree.snapshot()];
      const all = setups(tree);
      for (let at = 0; at < 2; at++) {
        const said = await tree.run(all[rng.below(all.length)]!);
        expect(said.err).toBe("");
        if (said.out.startsWith("All of this is set up")) continue;
        states.push(tree.snapshot());
      }
      while (states.length > 1) {
        expect(tree.snapshot()).toEqual(states.pop()!);
        await undo(tree, rng, states.at(-1)!);
      }
      expect(tree.snapshot()).toEqual(states[0]!);
    }
  });
});

test("a setup that is killed at any step is taken back, or has not begun", async () => {
  const rng = new Rng(23);
  for (const which of [3]) {
    let ended = false;
    for (let steps = 0; !ended; steps++) {
      const tree = someTree(rng);
      const before = tree.snapshot();
      const outcome = await tree.run(setups(tree)[which]!, { steps }).catch((error: unknown) => error);
      ended = !(outcome instanceof Killed);
      if (!ended && tree.snapshot().join().includes("/journal.json 100600")) {
        const again = await tree.run(setups(tree)[which]!);
        expect([again.code, again.err]).toEqual([
          1,
          "an earlier setup was interrupted: take it back first with nullmodem setup --undo\nNothing was changed.\n",
        ]);
      }
      const undone = await tree.run("--undo");
      const after = tree.snapshot();
      // Killed before the record was written: only folders may be left.
      if (undone.code === 1) expect(after.filter((line) => !before.includes(line)).every(isFolder)).toBe(true);
      else expect(after).toEqual(before);
    }
  }
});

describe("what was changed after the setup", () => {
  const OPTIONS = "/etc/ppp/options.ttyS1";

  test("other lines of the same file stay, and only the part of setup goes", async () => {
    const tree = newTree();
    tree.put(OPTIONS, "lock");
    tree.put("/etc/ppp/pap-secrets", "a * b\n", 0o600);
    await tree.run(`${SERVE} --auth login`);
    tree.put(OPTIONS, `# first\n${tree.text(OPTIONS)}# last\n`, 0o640);
    const { code, out } = await tree.run("--undo");
    expect(code).toBe(0);
    expect(out).toContain(`  ${OPTIONS}: the part of setup removed, other changes kept\n`);
    expect([tree.text(OPTIONS), tree.mode(OPTIONS)]).toEqual(["# first\nlock# last\n", 0o640]);
    expect(tree.text("/etc/ppp/pap-secrets")).toBe("a * b\n");
    expect(tree.snapshot().join()).not.toContain("nullmodem-setup");
  });

  test("a changed part is not touched, nor any other file, and the reason is told", async () => {
    const tree = newTree();
    tree.put(OPTIONS, "lock\n");
    await tree.run(`${SERVE} --auth login --service systemd`);
    tree.put(OPTIONS, tree.text(OPTIONS).replace("115200", "9600"));
    tree.put("/etc/systemd/system/nullmodem-ttyS1.service", "mine\n");
    const before = tree.snapshot();
    const { code, err } = await tree.run("--undo");
    expect(code).toBe(1);
    expect(err).toBe(
      "/etc/systemd/system/nullmodem-ttyS1.service was changed since setup wrote it: remove it yourself\n" +
        `${OPTIONS} was changed within the part that setup wrote: remove that part yourself, then repeat --undo\n` +
        "Nothing was changed.\n",
    );
    expect(tree.snapshot()).toEqual(before);
    // As it says:
    tree.put(OPTIONS, "lock\n");
    tree.remove("/etc/systemd/system/nullmodem-ttyS1.service");
    const { code: then, out } = await tree.run("--undo");
    expect(then).toBe(0);
    expect(out).toContain(`${OPTIONS} is as it was\n`);
  });

  test("a file that was removed stays removed, and a part that was taken out is no trouble", async () => {
    const tree = newTree();
    tree.put(OPTIONS, "lock\n");
    tree.put("/etc/inittab", "x\n");
    await tree.run(`${SERVE} --auth none --service inittab`);
    tree.remove(OPTIONS);
    tree.put("/etc/inittab", "y\n");
    const { code, out } = await tree.run("--undo");
    expect(code).toBe(0);
    expect(out).toContain(`${OPTIONS} was removed since, and stays so\n`);
    expect(out).toContain("/etc/inittab has no part of this setup any more\n");
    expect(tree.text("/etc/inittab")).toBe("y\n");
  });
});
