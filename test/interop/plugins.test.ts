// The plugins of pppd's package and the parts of this program that replace them: the same session with the real pppd
// and its shared objects, and with ours. Samba is a script that records its input.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { missing } from "../kit/lab.ts";
import { closeMachines, machinesMissing, tunMissing } from "../kit/machine.ts";
import { type End, type Kind, type Laplink, LinkPool, type Run } from "../kit/end.ts";
import { PATIENT } from "./patient-options.ts";

/** The time limit includes waiting for a link. */
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
const COMMON = `115200 local -detach lock noccp noipv6 ${PATIENT.replaceAll("\n", " ").trim()}`;

/** The files and commands of one side. */
interface Part {
  readonly files: Readonly<Record<string, string>>;
  readonly command: string;
}

interface Told {
  /** The messages that are compared. */
  readonly said: readonly string[];
  readonly status: number;
  /** The file that scripts write to. */
  readonly heard: string;
}

const HEARD = "/var/run/heard";

/** The guests have no plugins. They are copied to the place where pppd looks, packed because the way there is slow. */
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

/** Runs both sides until they end by themselves, or until they are up and are then ended, unless they are `patient`. */
async function play(
  link: Laplink,
  server: Part,
  client: Part,
  matters: RegExp,
  patient: boolean,
): Promise<[Told, Told]> {
  try {
    const serving = await start(link.server, server);
    await serving.waitFor("Connect: ");
    const calling = await start(link.client, client);
    const ended = Promise.all([serving.exit(), calling.exit()]);
    const up = Promise.all([serving.waitFor(UP), calling.waitFor(UP)]).then(
      () => "up",
      () => "down",
    );
    if (!patient && (await Promise.race([ended.then(() => "down"), up])) === "up")
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

interface Scene {
  /** The side with the plugin. */
  readonly of: "server" | "client";
  readonly server: Part;
  readonly client: Part;
  /** The messages that are compared. */
  readonly matters: RegExp;
  readonly judge: (told: Told) => void;
  /** The session ends by itself. */
  readonly patient?: boolean;
  /** The real pppd was observed to do the same. It takes long, so it is not run every time. */
  readonly known?: boolean;
}

/** Compares the real pppd and ours, with ours on the other side. */
function same(name: string, { of, server, client, matters, judge, patient = false, known = false }: Scene): void {
  const pairings: [Kind, Kind][] = [["ours", "ours"], of === "server" ? ["real", "ours"] : ["ours", "real"]];
  for (const [serving, calling] of pairings) {
    const isReal = serving === "real" || calling === "real";
    if (isReal && known && process.env["NULLMODEM_ALL"] === undefined) continue;
    const no = cannot ?? (isReal ? noReal : undefined);
    const title = `${name}: ${isReal ? "the real one" : "ours"}`;
    // One guest at a time: several guests make each other miss octets of the line.
    const run = isReal ? test : test.concurrent;
    run.skipIf(no !== undefined)(no === undefined ? title : `${title} [skipped: ${no}]`, () =>
      pools[`${serving}, ${calling}`]!.use(async (link) => {
        const [first, second] = await play(link, server, client, matters, patient);
        judge(of === "server" ? first : second);
      }),
    );
  }
}

// ── our own password ─────────────────────────────────────────────────────────────────────────────────────────────────

const PROVED =
  /^(PAP|CHAP) authentication (succ.*d$|failed)|^Remote message|^Plugin |exited with|terminated abn|Can't read/;

/** The client's command after a pipe that prints the password. */
function piped(said: string, words: string): Part {
  return { files: {}, command: `${said} | ${client(`plugin passwordfd.so ${words}`).command}` };
}

for (const [method, demand] of [
  ["PAP", "require-pap"],
  ["CHAP", "require-chap"],
] as const)
  same(`passwordfd.so reads the password for ${method} from its descriptor`, {
    of: "client",
    server: server(demand),
    client: piped("printf secret", "passwordfd 3 3<&0 </dev/null"),
    matters: /^(PAP|CHAP) authentication succeeded$|^Plugin/,
    judge: ({ said, status }) => {
      expect(said).toEqual(["Plugin passwordfd.so loaded.", `${method} authentication succeeded`]);
      expect(status).toBe(5);
    },
    known: method === "PAP",
  });

same("passwordfd.so sends a newline that is there", {
  of: "client",
  server: server("require-pap"),
  client: piped("echo secret", "passwordfd 0"),
  matters: PROVED,
  judge: ({ said, status }) => {
    const refused = ["Remote message: Login incorrect", "PAP authentication failed"];
    expect(said).toEqual(["Plugin passwordfd.so loaded.", ...refused]);
    expect(status).toBe(19);
  },
  known: true,
});

const PROMPT = `#!/bin/sh
printf '%s\n' "$1" "$2" "$KEPT" >${HEARD}
eval "printf secret >&$3"
`;
const PROMPTING = "plugin passprompt.so promptprog /etc/ppp/prompt";
const LOGGED_IN = ["Remote message: Login ok", "PAP authentication succeeded"];

same("passprompt.so asks with user, server and a descriptor, in our environment", {
  of: "client",
  server: server("require-pap"),
  client: { files: { prompt: PROMPT }, command: `KEPT=kept ${client(`remotename peer ${PROMPTING}`).command}` },
  matters: PROVED,
  judge: ({ said, status, heard }) => {
    expect(heard).toBe("zaphod\npeer\nkept\n");
    expect(said).toEqual(["Plugin passprompt.so loaded.", ...LOGGED_IN]);
    expect(status).toBe(5);
  },
});

same("passprompt.so that gives up leaves it to the secrets file", {
  of: "client",
  server: server("require-pap"),
  client: client(PROMPTING, {
    prompt: "#!/bin/sh\nprintf wrong >&$3\nexit 128\n",
    "pap-secrets": "zaphod * secret\n",
  }),
  matters: PROVED,
  judge: ({ said, status }) => {
    const gaveUp = "/etc/ppp/prompt exited with code 128";
    expect(said).toEqual(["Plugin passprompt.so loaded.", gaveUp, ...LOGGED_IN]);
    expect(status).toBe(5);
  },
  known: true,
});

// ── minconn ──────────────────────────────────────────────────────────────────────────────────────────────────────────

same("minconn.so keeps a quiet link for as long as it says", {
  of: "client",
  server: server("noauth"),
  client: client("plugin minconn.so minconnect 4 idle 1", { "ip-down": `#!/bin/sh\necho $CONNECT_TIME >${HEARD}\n` }),
  matters: /^Terminating|^plugin_init/,
  judge: ({ said, status, heard }) => {
    expect(said).toEqual(["plugin_init", "Terminating connection due to lack of activity."]);
    expect(status).toBe(12);
    expect(Number(heard)).toBeWithin(4, 7);
  },
  patient: true,
});

// ── Samba ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Records its input and gives this answer. Like Samba's helper, it then continues. */
const samba = (...answer: readonly string[]): string => `#!/bin/sh
while read -r line; do
  echo "$line" >>${HEARD}
  [ "$line" = . ] && break
done
printf '%s\n' ${[...answer, "."].map((line) => `'${line}'`).join(" ")}
cat >/dev/null
`;

const md4 = (data: Uint8Array): Uint8Array => new Bun.CryptoHasher("md4").update(data).digest();
const KEY = md4(md4(Buffer.from("secret", "utf16le")))
  .toHex()
  .toUpperCase();
const WINBIND = 'plugin winbind.so ntlm_auth-helper "/etc/ppp/samba --helper-protocol=ntlm-server-1" auth';
const JUDGED =
  /^PAP |^Peer (?!.* authenticated with )|^Winbind|^WINBIND|^Did not get|^NT session|^unrecognised|^NT_STATUS|MPPE/;
const LOADED = "WINBIND plugin initialized.";
const DECLINED = "Winbind has declined authentication for user!";
const REFUSAL = samba("Authenticated: No", "Authentication-Error: NT_STATUS_WRONG_PASSWORD");
const CALLER = client("password secret");

const base64 = (text: string): string => Buffer.from(text).toString("base64");

same("winbind.so asks Samba about a PAP password", {
  of: "server",
  server: server(`${WINBIND} require-pap`, { samba: samba("Authenticated: Yes") }),
  client: CALLER,
  matters: JUDGED,
  judge: ({ said, heard }) => {
    expect(heard).toBe(`Full-Username:: ${base64("zaphod")}\nPassword:: ${base64("secret")}\n.\n`);
    expect(said).toEqual([LOADED, "PAP peer authentication succeeded for zaphod"]);
  },
});

same("winbind.so lets nobody in by PAP whom Samba does not", {
  of: "server",
  server: server(`${WINBIND} require-pap`, { samba: REFUSAL }),
  client: CALLER,
  matters: JUDGED,
  judge: ({ said, status }) => {
    expect(said).toEqual([LOADED, DECLINED, "PAP peer authentication failed for zaphod"]);
    expect(status).toBe(11);
  },
  known: true,
});

for (const [version, demand] of [
  ["1", "require-mschap"],
  ["2", "require-mschap-v2"],
] as const) {
  const known = version === "1";
  const encrypting = (part: Part): Part => ({ ...part, command: part.command.replace("noccp", "require-mppe-128") });
  same(`winbind.so asks Samba about MS-CHAP version ${version}, and its key encrypts`, {
    of: "server",
    server: encrypting(
      server(`${WINBIND} ${demand}`, { samba: samba("Authenticated: Yes", `User-Session-Key: ${KEY}`) }),
    ),
    client: encrypting(client("user 'DOM\\zaphod' password secret")),
    matters: JUDGED,
    judge: ({ said, heard }) => {
      expect(heard.replace(/[0-9A-F]{16,}/g, (digits) => `${digits.length} digits`)).toBe(
        `Username:: ${base64("zaphod")}\nNT-Domain:: ${base64("DOM")}\nRequest-User-Session-Key: yes\n` +
          "LANMAN-Challenge: 16 digits\nNT-response: 48 digits\n.\n",
      );
      expect(said.slice(0, 2)).toEqual([LOADED, "MPPE 128-bit stateless compression enabled"]);
    },
    known,
  });
  same(`winbind.so lets nobody in by MS-CHAP version ${version} whom Samba does not`, {
    of: "server",
    server: server(`${WINBIND} ${demand}`, { samba: REFUSAL }),
    client: CALLER,
    matters: JUDGED,
    judge: ({ said, status }) => {
      const why = "NT_STATUS_WRONG_PASSWORD";
      expect(said).toEqual([LOADED, DECLINED, why, "Peer zaphod failed CHAP authentication"]);
      expect(status).toBe(11);
    },
    known: true,
  });
}

same("winbind.so that gets no key lets nobody in", {
  of: "server",
  server: server(`${WINBIND} require-mschap-v2`, {
    samba: samba("Authenticated: Yes", "Frob: x", "User-Session-Key: 12"),
  }),
  client: CALLER,
  matters: JUDGED,
  judge: ({ said, status }) => {
    expect(said).toEqual([
      LOADED,
      "unrecognised input from ntlm_auth helper - Frob: x",
      "NT session key for user was not 16 bytes!",
      "Did not get user session key, despite being authenticated!",
      "Peer zaphod failed CHAP authentication",
    ]);
    expect(status).toBe(11);
  },
  known: true,
});

/** After a refusal by Samba, the real pppd looks at pap-secrets, which may have a line for everybody. */
test.concurrent.skipIf(cannot !== undefined)(`an empty secret lets nobody in whom Samba refused${cannot ?? ""}`, () =>
  pools["ours, ours"]!.use(async (link) => {
    for (const [secrets, status] of [
      ['* * "" *\n', 11],
      ["zaphod * secret *\n", 16],
    ] as const) {
      const files = { samba: REFUSAL, "pap-secrets": secrets };
      const [{ status: actual }] = await play(link, server(`${WINBIND} require-pap`, files), CALLER, JUDGED, false);
      expect(actual).toBe(status);
    }
  }),
);
