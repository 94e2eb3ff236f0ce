// nullmodem serve PORT… [--speed N] [--auth] [--login] [-- PPPD WORDS]: serves any number of ports until it is ended.

import { defineCommand } from "citty";
import { consola } from "consola";
import { systemOptionHost } from "../applets/option-host.ts";
import { ControlDoor } from "../applets/control-door.ts";
import { takeConfigDir } from "../applets/config-dir.ts";
import { runDirectory } from "../applets/run-directory.ts";
import { thisMachine } from "../applets/this-machine.ts";
import { OptionError } from "../options/error.ts";
import { dropCodePages } from "../os/ffi/memory.ts";
import { libc } from "../os/ffi/libc.ts";
import { journalAt } from "../os/log/journal.ts";
import { LineOutput } from "../os/log/line-output.ts";
import { Log } from "../os/log/log-writer.ts";
import { takeNotifier } from "../os/log/notify.ts";
import { print } from "../os/log/print.ts";
import { Syslog } from "../os/log/syslog-client.ts";
import { userName } from "../os/net/hosts.ts";
import { lowerOomScore } from "../os/process/oom.ts";
import { Signals } from "../os/process/signals.ts";
import { loginInProcess } from "../os/users/login-process.ts";
import { hasLentRights, isPrivileged } from "../os/users/rights.ts";
import { Exit } from "../run/exit.ts";
import type { LoginRequest } from "../run/host/users.ts";
import { PortServer } from "../run/serve/port-server.ts";
import type { ServeHost } from "../run/serve/serve-host.ts";
import { readServeWords, type ServeWishes, ServeWordsError } from "../run/serve/serve-words.ts";
import { usageText } from "./usage-text.ts";

const command = defineCommand({
  meta: { name: "nullmodem serve", description: "Serve ports: recognise each caller and give it a link" },
  args: {
    port: {
      type: "positional",
      description: "ttyS0, /dev/serial/by-id/…, 'ttyUSB*' (adapters plugged in later too), 127.0.0.1:5000 (TCP)",
      required: true,
    },
    speed: { type: "string", description: "the speed of all ports; without it each port finds that of its caller" },
    auth: { type: "boolean", description: "callers must prove who they are, by the files of secrets in /etc/ppp" },
    login: { type: "boolean", description: "they are users of this system", negativeDescription: "no login prompts" },
  },
});

const AFTER = `pppd's own options go behind --, or into /etc/ppp/options.ttyX. auth, modem,
autodetect, persist, maxfail and lcp-echo-… in /etc/ppp/options do not count, because
serve has its own. Each port has private addresses of its own, unless these options
give others. Callers share this machine's network, unless you give -- noshare.
Without root's rights or a TUN, sockets of this process carry it.
  nullmodem serve ttyS0 'ttyUSB*'
  nullmodem serve --auth 10.0.0.1:5000 -- ms-dns 10.0.0.1
  nullmodem serve ttyS0 -- noshare

Exit codes: 5 after SIGTERM or SIGINT, 2 for wrong words or when the options of all
ports are wrong at the start, 3 when they need rights that are missing, also when
this user may open none of the devices. A port that fails is tried again, and ends
nothing. SIGHUP hangs up on all callers; poff of one interface ends all ports, because
they are one process.
`;

/** Runs serve with the words after its name. Returns the exit code. */
export async function serve(argv: readonly string[]): Promise<number> {
  consola.level = 3;
  if (argv.includes("--help") || argv.includes("-h")) {
    print((await usageText(command, AFTER)).replace("<PORT>", "<PORT>…"));
    return 0;
  }
  let etc: string;
  let wishes: ServeWishes;
  try {
    const given = takeConfigDir(argv);
    etc = given.etc;
    wishes = readServeWords(given.words, thisMachine.files.isCharacterDevice);
  } catch (error) {
    if (!(error instanceof ServeWordsError || error instanceof OptionError)) throw error;
    consola.error(error.message);
    return Exit.OPTION;
  }
  // Serve lets anybody call, which is not for a user to whom the rights of root are lent.
  if (!isPrivileged() && hasLentRights()) {
    consola.error("serve must be run as root or with CAP_NET_ADMIN; try: sudo nullmodem serve …");
    return Exit.NOT_ROOT;
  }
  return await servePorts(etc, wishes);
}
serve.definition = command;

/** Keeps group and others from writing to our new files. */
const UMASK = 0o022;

async function servePorts(etc: string, wishes: ServeWishes): Promise<number> {
  libc.umask(libc.umask(0) | UMASK);
  if (libc.geteuid() === 0) lowerOomScore();
  const host = serveHost(etc);
  const server: PortServer = new PortServer(
    { ...host, configured: (config) => door.allow(config.controlGroup) },
    wishes,
  );
  const door = new ControlDoor(
    host.runDirectory,
    host.openLog({ logDefault: true, logfd: undefined }).log,
    () => server.links,
  );
  const signals = new Signals((event) => server.onSignal(event));
  try {
    return await server.run();
  } finally {
    signals.close();
    door.close();
  }
}

function serveHost(etc: string): Omit<ServeHost, "configured"> {
  const syslog = new Syslog("pppd", "local2", { pid: true });
  // The journal gets each line of the log once, and that says more than the events.
  const isJournal = journalAt(1) !== undefined;
  const log = new Log(syslog, isJournal ? 1 : undefined, true);
  const output = new LineOutput(1);
  const uid = libc.getuid();
  const users = { ...thisMachine.users, login: (request: LoginRequest) => loginInProcess(request) };
  return {
    // Each login session has a process of its own, as it has with a pppd for each port.
    machine: { ...thisMachine, users },
    openLog({ logDefault, logfd }) {
      if (logDefault || logfd === undefined) return { log, close: () => {} };
      const own = new Log(syslog, logfd, true);
      return { log: own, close: () => own.dropFd() };
    },
    notifier: takeNotifier(),
    etc,
    user: userName(uid) ?? `uid${uid}`,
    uid,
    runDirectory: runDirectory(),
    optionHost: (voice) => systemOptionHost(voice, etc),
    print: (line) => {
      if (!isJournal) output.write(`${line}\n`);
    },
    onUp: dropCodePages,
  };
}
