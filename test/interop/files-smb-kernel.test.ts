// `files-smb`: Linux' own client of SMB 1 mounts the folder, in the lab's guest, over a link with Debian's pppd.

import { expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cable, openCable } from "../kit/cable.ts";
import { Lab, missing } from "../kit/lab.ts";
import { closeMachines, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { builtFor, Program } from "../kit/program.ts";
import { PATIENT_WORDS } from "./patient-options.ts";

setDefaultTimeout(5 * PATIENCE_MS);

const KERNELS = "/usr/lib/uml/modules";
/** In loading order. */
const MODULES = [
  "lib/asn1_decoder",
  "lib/oid_registry",
  "net/dns_resolver/dns_resolver",
  "fs/smb/common/cifs_arc4",
  "fs/smb/common/cifs_md4",
  "fs/nls/nls_utf8",
  "fs/smb/client/cifs",
].map((name) => `kernel/${name}.ko`);
const MOUNT = "vers=1.0,guest,sec=none,ip=10.9.0.1,port=139,servern=SERVER,iocharset=utf8";

function modules(): string[] {
  const [release = ""] = existsSync(KERNELS) ? readdirSync(KERNELS) : [];
  return MODULES.map((name) => join(KERNELS, release, name));
}

const why =
  missing() ??
  machinesMissing() ??
  tunMissing() ??
  (process.getuid?.() === 0 ? undefined : "it needs root, to serve as another user") ??
  (modules().every((path) => existsSync(path)) ? undefined : "the lab's kernel has no cifs");

test.skipIf(why !== undefined)(
  `Linux mounts the folder, and changes files in it${why === undefined ? "" : ` [skipped: ${why}]`}`,
  async () => {
    const share = mkdtempSync(join(tmpdir(), "files-smb-"));
    let cable: Cable | undefined;
    let lab: Lab | undefined;
    let server: Program | undefined;
    const run = async (command: string): Promise<string> => {
      const { status, stdout, stderr } = await lab!.exec(command, PATIENCE_MS);
      if (status !== 0) throw new Error(`${command}: ${status} ${stderr}`);
      return stdout;
    };
    try {
      chmodSync(share, 0o755);
      chownSync(share, 65534, 65534);
      writeFileSync(join(share, "Gr\u00fc\u00dfe.text"), "hello\n");
      cable = await openCable({});
      const near = await openMachine("near", { ttys: { ttyS0: cable.a }, files: { "/etc/ppp/options": "" } });
      lab = await Lab.run({ attach: cable.b });
      for (const [at, path] of modules().entries()) {
        await lab.put(path, `/tmp/${at}.ko`);
        await run(`insmod /tmp/${at}.ko`);
      }
      const words = [
        "/dev/ttyS0",
        "921600",
        "nodetach",
        "noauth",
        "local",
        "noipv6",
        "10.9.0.1:10.9.0.2",
        ...PATIENT_WORDS,
      ];
      server = new Program([builtFor(near, "pppd"), ...words, "files", share, "files-write", "files-smb"], {
        machine: near,
      });
      await lab.start("pppd /dev/ttyS1 921600 nodetach noauth local");
      await server.waitFor("Files of ");
      await lab.waitFor("remote IP address 10.9.0.1", { within: PATIENCE_MS });
      await run(`mkdir /m && mount -t cifs //10.9.0.1/FILES /m -o ${MOUNT}`);
      expect(await run("cd /m; echo *; cat *.text")).toBe("Gr\u00fc\u00dfe.text\nhello\n");
      await run(
        "mkdir /m/new && dd if=/dev/urandom of=/tmp/r bs=1k count=40 && cp /tmp/r /m/new/a && cmp /m/new/a /tmp/r",
      );
      await run("mv /m/new/a /m/new/b && echo more >>/m/new/b && touch -d '2001-02-03 04:05:06' /m/new/b");
      expect(await run("ls -l /m/new; tail -c 5 /m/new/b")).toMatch(/ 40965 Feb {2}3 {2}2001 b\nmore\n$/);
      expect(readFileSync(join(share, "new", "b"), "latin1").endsWith("more\n")).toBe(true);
      await run("rm /m/new/b && rmdir /m/new && umount /m");
      expect(readdirSync(share)).toEqual(["Gr\u00fc\u00dfe.text"]);
    } finally {
      await server?.stop();
      await lab?.stop();
      await cable?.close();
      await closeMachines();
      rmSync(share, { recursive: true });
    }
  },
);
