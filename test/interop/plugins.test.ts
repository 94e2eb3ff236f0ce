// The plugins of pppd's package against the parts of this program that stand for them: the same session with the real one
// and its shared objects, and with ours. Samba is a script that writes down what it is asked.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { missing } from "../kit/lab.ts";
import { closeMachines, machinesMissing, tunMissing } from "../kit/machine.ts";
import { type End, type Kind, type Laplink, LinkPool, type Run } from "../kit/end.ts";

/** Tests wait for their turn on a link, and that counts. */
setDefaultTimeout(300_000);
const FOLDER = "/usr/lib/pppd/2.4.9";
const NAMES = ["passwordfd", "passprompt", "minconn", "winbind"];
const noPlugins = NAMES.every((name) => existsSync(`${FOLDER}/${name}.so`))
  ? undefined
  : `no plugins to compare with in ${FOLDER} (Debian package ppp 2.4.9)`;
const cannot = machinesMissing() ?? tunMissing();
const noReal = missing() ?? noPlugins;
const pools: Readonly<Record<string, LinkPool>> = {
  "ours, ours": new LinkPool("ours", "ours", 1),
  "real, ours": new LinkPool("real", "ours", 1),
  "ours, real": new LinkPool("ours", "real", 1),
};
afterAll(async () => {
  await Promise.all(Object.values(pools).map((pool) => pool.close()));
  await closeMachines();
});

const UP = /^remote IP address/;
const COMMON = "115200 local -detach lock noccp noipv6 lcp-restart 1";

/** What one side is asked to do. */
interface Part {
  readonly files: Readonly<Record<string, string>>;
  readonly command: string;
}

interface Told {
  /** Messages that matter here. */
  readonly said: readonly string[];
  readonly status: number;
  /** The file that scripts write to. */
  readonly heard: string;
}

const HEARD = "/var/run/heard";

/** The guests have no plugins: they are put where pppd looks, packed, for the way there is slow. */
async function providePlugins(end: End): Promise<void> {
  if (end.kind !== "real") return;
  const files = Object.fromEntries(
    NAMES.map((name) => [name, Buffer.from(Bun.gzipSync(readFileSync(`${FOLDER}/${name}.so`))).toString("base64")]),
  );
  await end.install(files);
  const { status, stderr } = await end.run(
    `mkdir -p ${FOLDER} && cd /etc/ppp && for name in ${NAMES.join(" ")}; do base64 -d $name | gunzip >${FOLDER}/$name.so || exit 1; done`,
  );
  if (status !== 0) throw new Error(`no plugins in the guest: ${stderr}`);
}

const provided = new WeakMap<End, Promise<void>>();

async function start(end: End, { files, command }: Part): Promise<Run> {
  const ready = provided.get(end) ?? providePlugins(end);
  provided.set(end, ready);
  await ready;
  await end.install({ options: "", ...files });
  await end.run(`rm -f ${HEARD}`);
  return end.start(command);
}

async function told(end: End, run: Run, matters: RegExp): Promise<Told> {
  const status = await run.exit();
  const said = run.lines.filter((line) => matters.test(line));
  return { said, status, heard: (await end.run(`cat ${HEARD} 2>/dev/null; :`)).stdout };
}

/** Plays both parts until they have ended by themselves, or are up and are ended then. */
async function play(link: Laplink, server: Part, client: Part, matters: RegExp): Promise<[Told, Told]> {
  try {
    const serving = await start(link.server, server);
    await serving.waitFor("Connect: ");
    const calling = await start(link.client, client);
    const ended = Promise.all([serving.exit(), calling.exit()]);
    const up = Promise.all([serving.waitFor(UP), calling.waitFor(UP)]).then(
      () => "up",
      () => "down",
    );
    if ((await Promise.race([ended.then(() => "down"), up])) === "up")
      await link.client.run("kill -TERM $(head -n1 /var/run/ppp0.pid)");
    await ended;
    return [await told(link.server, serving, matters), await told(link.client, calling, matters)];
  } finally {
    await link.server.reset();
    await link.client.reset();
  }
}

const anyone = { "pap-secrets": "zaphod * secret *\n", "chap-secrets": "zaphod * secret *\n" };
const server = (words: string, files: Part["files"] = anyone): Part => ({
  files,
  command: `pppd /dev/ttyS1 ${COMMON} 10.0.0.1:10.0.0.2 ${words}`,
});
const client = (words: string, files: Part["files"] = {}): Part => ({
  files,
  command: `pppd /dev/ttyS0 ${COMMON} noauth user zaphod ${words}`,
});

/** Both servers, or both clients, with ours on the other side, must be told the same. */
function same(name: string, of: "server" | "client", parts: [Part, Part], matters: RegExp, judge: (one: Told) => void) {
  const skip = cannot;
  const pairings: [Kind, Kind][] = [["ours", "ours"], of === "server" ? ["real", "ours"] : ["ours", "real"]];
  for (const [serving, calling] of pairings) {
    const no = skip ?? (serving === "real" || calling === "real" ? noReal : undefined);
    const title = `${name}: ${(of === "server" ? serving : calling) === "ours" ? "ours" : "the real one"}`;
    test.concurrent.skipIf(no !== undefined)(no === undefined ? title : `${title} [skipped: ${no}]`, () =>
      pools[`${serving}, ${calling}`]!.use(async (link) => {
        const [first, second] = await play(link, ...parts, matters);
        judge(of === "server" ? first : second);
      }),
    );
  }
}

// ── our own password ─────────────────────────────────────────────────────────────────────────────────────────────────

const PROVED = /^(PAP|CHAP) authentication|^Remote message|^Plugin |exited with|terminated abn|Can't read/;

for (const [method, demand] of [
  ["PAP", "require-pap"],
  ["CHAP", "require-chap"],
] as const)
  same(
    `passwordfd.so reads the password for ${method} from its descriptor`,
    "client",
    [
      server(demand),
      {
        ...client("plugin passwordfd.so passwordfd 3"),
        command: `printf secret | ${client("plugin passwordfd.so passwordfd 3 3<&0 </dev/null").command}`,
      },
    ],
    /^(PAP|CHAP) authentication succeeded$|^Plugin/,
    ({ said, status }) => {
      expect(said).toContain("Plugin passwordfd.so loaded.");
      expect(said).toContain(`${method} authentication succeeded`);
      expect(status).toBe(5);
    },
  );

same(
  "passwordfd.so sends a newline that is there",
  "client",
  [
    server("require-pap"),
    { ...client(""), command: `echo secret | ${client("plugin passwordfd.so passwordfd 0").command}` },
  ],
  PROVED,
  ({ said, status }) => {
    expect(said).toEqual([
      "Plugin passwordfd.so loaded.",
      "Remote message: Login incorrect",
      "PAP authentication failed",
    ]);
    expect(status).toBe(19);
  },
);

const PROMPT = `#!/bin/sh
printf '%s\\n' "$1" "$2" >${HEARD}
echo "$KEPT" >>${HEARD}
eval "printf secret >&$3"
`;

same(
  "passprompt.so asks with user, server and a descriptor, in our environment",
  "client",
  [
    server("require-pap"),
    {
      ...client(""),
      files: { prompt: PROMPT },
      command: `KEPT=kept ${client("remotename peer plugin passprompt.so promptprog /etc/ppp/prompt").command}`,
    },
  ],
  PROVED,
  ({ said, status, heard }) => {
    expect(heard).toBe("zaphod\npeer\nkept\n");
    expect(said).toEqual(["Plugin passprompt.so loaded.", "Remote message: Login ok", "PAP authentication succeeded"]);
    expect(status).toBe(5);
  },
);

same(
  "passprompt.so that gives up leaves it to the secrets file",
  "client",
  [
    server("require-pap"),
    client("plugin passprompt.so promptprog /etc/ppp/prompt", {
      prompt: "#!/bin/sh\nprintf wrong >&$3\nexit 128\n",
      "pap-secrets": "zaphod * secret\n",
    }),
  ],
  PROVED,
  ({ said, status }) => {
    expect(said).toEqual([
      "Plugin passprompt.so loaded.",
      "/etc/ppp/prompt exited with code 128",
      "Remote message: Login ok",
      "PAP authentication succeeded",
    ]);
    expect(status).toBe(5);
  },
);

// ── minconn ──────────────────────────────────────────────────────────────────────────────────────────────────────────

same(
  "minconn.so keeps a quiet link for as long as it says",
  "client",
  [server("noauth"), client("plugin minconn.so minconnect 4 idle 1")],
  /^Terminating|^plugin_init|^Connect time/,
  ({ said }) => expect(said[0]).toBe("plugin_init"),
);

// ── Samba ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Says yes with a key, or what else; the key is the hash of the hash of "secret". */
const samba = (...answer: readonly string[]): string => `#!/bin/sh
while read -r line; do
  echo "$line" >>${HEARD}
  [ "$line" = . ] && break
done
printf '%s\\n' ${[...answer, "."].map((line) => `'${line}'`).join(" ")}
cat >/dev/null
`;

const KEY = new Bun.CryptoHasher("md4")
  .update(new Bun.CryptoHasher("md4").update(Buffer.from("secret", "utf16le")).digest())
  .digest("hex")
  .toUpperCase();
const YES = samba("Authenticated: Yes", `User-Session-Key: ${KEY}`);
const WINBIND = 'plugin winbind.so ntlm_auth-helper "/etc/ppp/samba --helper-protocol=ntlm-server-1" auth';
const JUDGED = /^(PAP|Peer) .*|^CHAP peer|^Winbind|^WINBIND|^Did not get|^NT session|^unrecognised|^NT_STATUS|MPPE/;
const CALLER = "password secret";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

same(
  "winbind.so asks Samba about a PAP password",
  "server",
  [server(`${WINBIND} require-pap`, { samba: samba("Authenticated: Yes") }), client(CALLER)],
  JUDGED,
  ({ said, heard }) => {
    expect(heard).toBe(`Full-Username:: ${base64("zaphod")}\nPassword:: ${base64("secret")}\n.\n`);
    expect(said).toEqual(["WINBIND plugin initialized.", "PAP peer authentication succeeded for zaphod"]);
  },
);

same(
  "winbind.so tells a PAP client why not",
  "server",
  [
    server(`${WINBIND} require-pap`, { samba: samba("Authenticated: No", "Authentication-Error: Locked out") }),
    client(CALLER),
  ],
  JUDGED,
  ({ said, status }) => {
    expect(said).toContain("Winbind has declined authentication for user!");
    expect(said).toContain("PAP peer authentication failed for zaphod");
    expect(status).toBe(11);
  },
);

for (const [version, demand] of [
  ["1", "require-mschap"],
  ["2", "require-mschap-v2"],
] as const) {
  same(
    `winbind.so asks Samba about MS-CHAP version ${version}, and its key encrypts`,
    "server",
    [
      { files: { samba: YES }, command: server(`${WINBIND} ${demand} require-mppe-128`).command.replace("noccp ", "") },
      {
        files: {},
        command: client(`${CALLER} require-mppe-128`).command.replace("noccp ", "").replace("zaphod", "'DOM\\zaphod'"),
      },
    ],
    JUDGED,
    ({ said, heard }) => {
      expect(heard.replace(/[0-9A-F]{16,}/g, (digits) => `${digits.length} digits`)).toBe(
        `Username:: ${base64("zaphod")}\nNT-Domain:: ${base64("DOM")}\nRequest-User-Session-Key: yes\n` +
          "LANMAN-Challenge: 16 digits\nNT-response: 48 digits\n.\n",
      );
      expect(said).toContain("MPPE 128-bit stateless compression enabled");
    },
  );
  same(
    `winbind.so lets nobody in by MS-CHAP version ${version} whom Samba does not`,
    "server",
    [
      server(`${WINBIND} ${demand}`, {
        samba: samba("Authenticated: No", "Authentication-Error: NT_STATUS_WRONG_PASSWORD"),
      }),
      client(CALLER),
    ],
    JUDGED,
    ({ said, status }) => {
      expect(said).toContain("NT_STATUS_WRONG_PASSWORD");
      expect(said).toContain("Peer zaphod failed CHAP authentication");
      expect(status).toBe(11);
    },
  );
}

same(
  "winbind.so that gets no key lets nobody in",
  "server",
  [
    server(`${WINBIND} require-mschap-v2`, { samba: samba("Authenticated: Yes", "Frob: x", "User-Session-Key: 12") }),
    client(CALLER),
  ],
  JUDGED,
  ({ said, status }) => {
    expect(said).toEqual([
      "WINBIND plugin initialized.",
      "unrecognised input from ntlm_auth helper - Frob: x",
      "NT session key for user was not 16 bytes!",
      "Did not get user session key, despite being authenticated!",
      "Peer zaphod failed CHAP authentication",
    ]);
    expect(status).toBe(11);
  },
);
