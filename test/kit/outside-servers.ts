// The servers of "outside" in a machine of their own, from Debian: web, names, ssh, FTP, files of Samba, and iperf3.

import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Machine } from "./machine.ts";
import { FETCHED_ENV, fetched } from "./fetched.ts";
import { until } from "./patience.ts";
import { Program } from "./program.ts";
import { Rng } from "./rng.ts";

export const OUTSIDE = "198.51.100.80";
export const OUTSIDE6 = "2001:db8:80::80";
/** A name that only the name server of outside knows. */
export const NAME = "www.outside.test";
/** A name with more text than a datagram of 512 octets carries. */
export const LONG_NAME = "long.outside.test";
/** The folder that the web server, the FTP server and Samba offer. */
export const FILES = "/run/files";
export const SSH_KEY = "/etc/outside-key";

/** Everybody may write into this folder of it. */
export const INCOMING = "incoming";

/** Added to passwd: the user of sshd's unprivileged part, and the user for everybody who comes by FTP. */
const ACCOUNTS = `sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\nvisitor:x:65532:65534::${FILES}:/usr/sbin/nologin\n`;

/** Each server's port and protocol of transport. */
const PORTS = { nginx: 80, dnsmasq: 53, sshd: 22, vsftpd: 21, smbd: 445, iperf3: 5201 } as const;

function texts(): Record<string, string> {
  const long = Array.from({ length: 8 }, (_, at) => `${at}`.repeat(200)).map(
    (text) => `--txt-record=${LONG_NAME},${text}`,
  );
  return {
    "/etc/nginx.conf": `user root;
worker_processes 1;
daemon off;
pid /run/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path /run/nginx-${kind};`).join(" ")}
  server { listen 80; listen [::]:80; root ${FILES}; }
}
`,
    "/etc/dnsmasq.words": [
      ...[
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--user=root",
        "--edns-packet-max=4096",
        "--log-facility=-",
      ],
      ...["--pid-file=/run/dnsmasq.pid", `--host-record=${NAME},${OUTSIDE},${OUTSIDE6}`, ...long],
    ].join("\n"),
    "/etc/sshd_config": `ListenAddress 0.0.0.0
HostKey ${SSH_KEY}
AuthorizedKeysFile ${SSH_KEY}.pub
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PidFile /run/sshd.pid
Subsystem sftp ${fetched("sftp-server")}
`,
    "/etc/vsftpd.conf": `listen=YES
background=NO
anonymous_enable=YES
ftp_username=visitor
anon_root=${FILES}
write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
connect_from_port_20=YES
secure_chroot_dir=/run/empty
seccomp_sandbox=NO
`,
    "/etc/smb.conf": `[global]
server role = standalone server
map to guest = bad user
guest account = nobody
disable netbios = yes
smb ports = 445
load printers = no
rpc start on demand helpers = no
private dir = /run/samba
lock directory = /run/samba
state directory = /run/samba
cache directory = /run/samba
pid directory = /run/samba
ncalrpc dir = /run/samba
log level = 0
[files]
path = ${FILES}
guest ok = yes
read only = no
`,
  };
}

/** The files of outside by the path in its machine. */
export function outsideFiles(): Record<string, string> {
  return texts();
}

/** A file that all servers offer. */
export interface Served {
  readonly name: string;
  readonly octets: Buffer;
}

/** Starts all servers in the machine and returns when each of them listens. */
export async function startServers(machine: Machine, file: Served): Promise<Program[]> {
  for (const folder of [FILES, "/run/empty", "/run/sshd", "/run/samba"])
    mkdirSync(machine.path(folder), { recursive: true });
  writeFileSync(machine.path(`${FILES}/${file.name}`), file.octets);
  mkdirSync(machine.path(`${FILES}/${INCOMING}`));
  chmodSync(machine.path(`${FILES}/${INCOMING}`), 0o777);
  const accounts = machine.path("/etc/passwd");
  writeFileSync(accounts, `${readFileSync(accounts, "utf8")}${ACCOUNTS}`);
  const key = spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", machine.path(SSH_KEY)], {
    encoding: "utf8",
  });
  if (key.status !== 0) throw new Error(`ssh-keygen: ${key.stderr}`);
  const words = readFileSync(machine.path("/etc/dnsmasq.words"), "utf8").split("\n");
  const run = (...command: string[]): Program => new Program(command, { machine, env: FETCHED_ENV });
  const programs = [
    run(fetched("nginx"), "-c", "/etc/nginx.conf", "-e", "stderr"),
    run(fetched("dnsmasq"), ...words),
    run(fetched("sshd"), "-D", "-e", "-f", "/etc/sshd_config"),
    run(fetched("vsftpd"), "/etc/vsftpd.conf"),
    // Without --daemon it takes our end of its standard input for a connection.
    run(
      fetched("smbd"),
      "--daemon",
      "--foreground",
      "--no-process-group",
      "--debug-stdout",
      "--configfile=/etc/smb.conf",
    ),
    run("iperf3", "-s"),
  ];
  await until("the servers listen", async () => {
    const ended = programs.find((program) => program.status !== undefined);
    if (ended !== undefined) throw new Error(`a server ended:\n${ended.text}`);
    const sockets = (await machine.run("cat", "/proc/net/tcp", "/proc/net/tcp6")).stdout;
    return Object.values(PORTS).every((port) => isListening(sockets, port));
  });
  return programs;
}

/** True when /proc/net/tcp has a listening socket (state 0A) with this port. */
function isListening(sockets: string, port: number): boolean {
  return new RegExp(`:${port.toString(16).padStart(4, "0")} [0-9a-f]+:0000 0A`, "i").test(sockets);
}

/** A file of this size with random octets. */
export function someFile(name: string, size: number, seed: number): Served {
  const random = new Rng(seed);
  const octets = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) octets.writeUInt32LE(random.u32(), at);
  return { name, octets };
}
